"""
Dense models: what is pruned and fine-tuned.

  in   a model's source: a folder in the Hub's format, or the Hub
  out  results/dense/MODEL/        float32 weights, configuration, tokenizer

`pretrain` makes the miniature models that ship in resources/models, and `stand_in` models of the
paper's shapes with random weights, for a rehearsal without the Hub; no target asks for them.
"""


rule dense:
    input:
        source=lambda wildcards: source_files(
            "models", wildcards.model, ["*.json", "*.safetensors", "*.bin", "merges.txt"]
        ),
        manifest=lambda wildcards: manifest("model", wildcards.model),
    output:
        model="results/dense/{model}/model.safetensors",
        config="results/dense/{model}/config.json",
        tokenizer="results/dense/{model}/tokenizer.json",
        tokenizer_config="results/dense/{model}/tokenizer_config.json",
        provenance="results/dense/{model}/provenance.json",
    priority: priorities["prepare"]
    resources:
        mem_mb=sized(2000, 2),
        runtime=sized(10, 0.01),
    params:
        code=code("dense.py"),
        source=lambda wildcards: located(config["models"][wildcards.model]["source"]),
    message:
        "Dense checkpoint of {wildcards.model}"
    script:
        "../scripts/dense.py"


rule pretrain:
    output:
        model="results/pretrain/{model}/model.safetensors",
        config="results/pretrain/{model}/config.json",
        tokenizer="results/pretrain/{model}/tokenizer.json",
        provenance="results/pretrain/{model}/provenance.json",
    wildcard_constraints:
        model=any_of(config["pretraining"]["models"]),
    threads: config["threads"]["pretrain"]
    resources:
        mem_mb=sized(4000),
        runtime=sized(120),
    params:
        code=code("pretrain.py"),
        batch_size=config["pretraining"]["batch_size"],
        vocabulary=config["pretraining"]["vocabulary"],
        markdown=config["pretraining"]["markdown"],
        seed=config["pretraining"]["seed"],
        training=lambda wildcards: config["pretraining"]["models"][wildcards.model]["training"],
        shape=lambda wildcards: config["pretraining"]["models"][wildcards.model]["shape"],
        threads=config["threads"]["pretrain"],
    message:
        "Pretraining {wildcards.model} from scratch: this takes the better part of an hour"
    script:
        "../scripts/pretrain.py"


def shape_of_stand_in(wildcards):
    """The shape of an OPT model; roberta-large's stands in the script's library."""
    if wildcards.name == "roberta-large":
        return []
    return located(f"resources/paper/{wildcards.name}.json")


rule stand_in:
    input:
        shape=shape_of_stand_in,
        tokenizer=located("resources/models/opt-125m-mini/tokenizer.json"),
    output:
        model="results/stand_in/{name}/model.safetensors",
        config="results/stand_in/{name}/config.json",
        tokenizer="results/stand_in/{name}/tokenizer.json",
        provenance="results/stand_in/{name}/provenance.json",
    wildcard_constraints:
        name="opt-125m|opt-350m|roberta-large",
    resources:
        mem_mb=sized(6000),
    params:
        code=code("stand_in.py"),
    message:
        "Stand-in for {wildcards.name}: random weights"
    script:
        "../scripts/stand_in.py"
