"""
Shrunk checkpoints: dense ones of the same class with fewer neurons, layers or tokens, which stock
transformers loads. Pruners keep shapes; this does not.

  in   results/dense/MODEL/, or what the step before made; and what the kind of shrinking NEEDS:
       results/calibration/CORPUS/MODEL.safetensors, results/corpus/CORPUS/train.jsonl
  out  results/shrink/CORPUS/MODEL/VARIANT/     VARIANT: neurons_70, layers_75+neurons_50, ...

A step of a variant's name is a job of its own: layers_75+neurons_50 is made from layers_75.
"""


def kind(wildcards):
    """The kind of shrinking that a variant's last step is: "layers" of "neurons_50+layers_75"."""
    return steps(wildcards.variant)[-1].rpartition("_")[0]


def kind_file(name):
    return f"sparsesum/shrinking/kinds/{name}.py"


for each in shrinks.kinds():
    check_options(
        f"shrinking.{each}",
        config["shrinking"].get(each, {}),
        sources.options(kind_file(each), "shrink"),
    )


def needs(wildcards, what):
    """Whether a variant's last step reads `what`: "calibration" or "texts"."""
    return what in sources.constant(kind_file(kind(wildcards)), "NEEDS", ())


def needed(what, artifact):
    """An input that a kind of shrinking needs, if it NEEDS `what`."""
    return lambda wildcards: [artifact(wildcards)] if needs(wildcards, what) else []


def calibration_before(wildcards):
    """The calibration set in the tokens of the checkpoint that a step is done to."""
    model = "+".join([wildcards.model, *vocabulary("+".join(steps(wildcards.variant)[:-1]))])
    return f"results/calibration/{wildcards.corpus}/{model}.safetensors"


rule shrink:
    input:
        model=source("model.safetensors"),
        config=source("config.json"),
        tokenizer=source("tokenizer.json"),
        calibration=needed("calibration", calibration_before),
        records=needed("texts", lambda wildcards: f"results/corpus/{wildcards.corpus}/train.jsonl"),
    output:
        model="results/shrink/{corpus}/{model}/{variant}/model.safetensors",
        config="results/shrink/{corpus}/{model}/{variant}/config.json",
        tokenizer="results/shrink/{corpus}/{model}/{variant}/tokenizer.json",
        tokenizer_config="results/shrink/{corpus}/{model}/{variant}/tokenizer_config.json",
        provenance="results/shrink/{corpus}/{model}/{variant}/provenance.json",
    wildcard_constraints:
        variant=SHRUNK,
    priority: priorities["prepare"]
    threads: config["threads"]["prune"]
    resources:
        mem_mb=sized(3000, 2),
        runtime=sized(20, 0.1),
        gpu=gpus,
        gpu_mb=gpu_share(4000, 2),
    params:
        # The kind is loaded by name: a change of it reruns its own rows alone.
        code=lambda wildcards: code("shrink.py", kind_file(kind(wildcards))),
        step=lambda wildcards: steps(wildcards.variant)[-1],
        options=lambda wildcards: config["shrinking"].get(kind(wildcards), {}),
        prompt=lambda wildcards: config["prompt"] if needs(wildcards, "texts") else None,
        device=config["device"],
        threads=config["threads"]["prune"],
    message:
        "Shrinking {wildcards.model}: {wildcards.variant}"
    script:
        "../scripts/shrink.py"
