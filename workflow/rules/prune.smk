"""
Pruned checkpoints: the dense model with half of its decoder's Linear weights set to zero.

  in   results/dense/MODEL/, and results/calibration/CORPUS/MODEL.safetensors where the pruner
       looks at activations
  out  results/prune/CORPUS/MODEL/SPARSITY/        SPARSITY: wanda_50, sparsegpt_2of4, ...

One decoder layer is in memory at a time. A killed job leaves its draft beside the output, and goes
on from the last finished layer.
"""


def pruner(wildcards):
    """The pruner in a sparsity's name: "wanda" of "wanda_2of4"."""
    return wildcards.sparsity.rpartition("_")[0]


def pruner_file(wildcards):
    return f"sparsesum/pruners/{pruner(wildcards)}.py"


def calibration_set(wildcards):
    """The calibration set, for pruners that accumulate statistics of activations."""
    if sources.defines(pruner_file(wildcards), "accumulate"):
        return [f"results/calibration/{wildcards.corpus}/{wildcards.model}.safetensors"]
    return []


rule prune:
    input:
        model="results/dense/{model}/model.safetensors",
        config="results/dense/{model}/config.json",
        tokenizer="results/dense/{model}/tokenizer.json",
        calibration=calibration_set,
        # The pruner is loaded by name: a change of it reruns its own rows alone.
        code=lambda wildcards: scripts("prune.py", pruner_file(wildcards)),
    output:
        model="results/prune/{corpus}/{model}/{sparsity}/model.safetensors",
        config="results/prune/{corpus}/{model}/{sparsity}/config.json",
        tokenizer="results/prune/{corpus}/{model}/{sparsity}/tokenizer.json",
        tokenizer_config="results/prune/{corpus}/{model}/{sparsity}/tokenizer_config.json",
        provenance="results/prune/{corpus}/{model}/{sparsity}/provenance.json",
    log:
        "results/logs/prune/{corpus}/{model}/{sparsity}.log",
    benchmark:
        "results/benchmarks/prune/{corpus}/{model}/{sparsity}.tsv"
    wildcard_constraints:
        sparsity=PRUNED,
    priority: priorities["prepare"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: config["threads"]["prune"]
    resources:
        mem_mb=sized(3000, 1),
        runtime=sized(20, 0.1),
        gpu=gpus,
        # CUDA itself and the layers' inputs: 1.1 GB with paper.yaml; layerwise.ROOM allows more.
        gpu_mb=gpu_share(4000, 2),
    params:
        pruner=pruner,
        pattern=lambda wildcards: wildcards.sparsity.rpartition("_")[2],
        options=lambda wildcards: config["pruners"].get(pruner(wildcards), {}),
        exact=config["prune"]["exact"],
        device=config["device"],
        threads=config["threads"]["prune"],
    message:
        "Pruning {wildcards.model}: {wildcards.sparsity}"
    script:
        "../scripts/prune.py"
