"""
Pruned checkpoints: the dense or a shrunk model with half of its decoder's Linear weights set to zero.

  in   results/dense/MODEL/ or results/shrink/CORPUS/MODEL/VARIANT/, and
       results/calibration/CORPUS/MODEL.safetensors where the pruner looks at activations
  out  results/prune/CORPUS/MODEL/VARIANT/        VARIANT: wanda_50, layers_75+wanda_2of4, ...

One decoder layer is in memory at a time. A killed job leaves its draft beside the output, and
resumes from the last finished layer.
"""


def pruner(wildcards):
    """The pruner in a variant's name: "wanda" of "wanda_2of4"."""
    return steps(wildcards.variant)[-1].rpartition("_")[0]


def pruner_file(name):
    return f"sparsesum/pruning/pruners/{name}.py"


for each in sorted({row.pruner for row in [*ROWS, *COMPRESSED, *PRUNING["base"]]} - {grid.NONE}):
    if not sources.defines(pruner_file(each), "sparsify"):
        raise WorkflowError(
            f"workflow/scripts/{pruner_file(each)}: a pruner has a function sparsify"
        )
    check_options(
        f"pruners.{each}",
        config["pruners"].get(each, {}),
        sources.options(pruner_file(each), "sparsify", "prepare"),
    )


def calibrates(name):
    """Whether a pruner accumulates statistics of activations, and so needs a calibration set."""
    return sources.defines(pruner_file(name), "accumulate")


def calibration_set(wildcards):
    """The calibration set, for a pruner that needs one."""
    if calibrates(pruner(wildcards)):
        return [tokenised("calibration/{corpus}/{model}.safetensors")(wildcards)]
    return []


rule prune:
    input:
        model=source("model.safetensors"),
        config=source("config.json"),
        tokenizer=source("tokenizer.json"),
        calibration=calibration_set,
    output:
        model="results/prune/{corpus}/{model}/{variant}/model.safetensors",
        config="results/prune/{corpus}/{model}/{variant}/config.json",
        tokenizer="results/prune/{corpus}/{model}/{variant}/tokenizer.json",
        tokenizer_config="results/prune/{corpus}/{model}/{variant}/tokenizer_config.json",
        provenance="results/prune/{corpus}/{model}/{variant}/provenance.json",
    wildcard_constraints:
        variant=PRUNED,
    priority: priorities["prepare"]
    threads: config["threads"]["prune"]
    resources:
        mem_mb=sized(3000, 1),
        runtime=sized(20, 0.1),
        gpu=gpus,
        # CUDA itself and the layers' inputs: 1.1 GB with paper.yaml; layerwise.ROOM allows more.
        gpu_mb=gpu_share(4000, 2),
    params:
        # The pruner is loaded by name: a change of it reruns its own rows alone.
        code=lambda wildcards: code("prune.py", pruner_file(pruner(wildcards))),
        pruner=pruner,
        pattern=lambda wildcards: wildcards.variant.rpartition("_")[2],
        options=lambda wildcards: config["pruners"].get(pruner(wildcards), {}),
        exact=config["prune"]["exact"],
        device=config["device"],
        threads=config["threads"]["prune"],
    message:
        "Pruning {wildcards.model}: {wildcards.variant}"
    script:
        "../scripts/prune.py"
