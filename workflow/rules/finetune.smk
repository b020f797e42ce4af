"""
Fine-tuned models, from the dense, a shrunk or a pruned checkpoint, on the tokens of the train split: a
rule for each method, which is a file in sparsesum/finetuning/methods/.

  out  results/METHOD/CORPUS/MODEL/VARIANT/
         a whole model (full: a pruned one's zeros are kept), or
         base/ and adapter/ (qlora: the base in int8); transformers and peft load all of them, or
         a merged model (sparse_qlora: in int8, packed: sparsesum/models/packing.py unpacks it)
         curve.csv and costs.json    the loss curve; training time and peak memory

VARIANT is VARIANT@SEED for each but the first of `seeds`, here and in all that is made from it.
Trainings run side by side as far as cores, or the GPU, go: their seconds say what they took so.
"""

from sparsesum.finetuning.settings import Settings


def training(section):
    """A param: the settings of a training, with the seed that its path names, or the first."""

    def settings(wildcards):
        seed = wildcards.variant.partition("@")[2] or config["seeds"][0]
        return config[section] | {"seed": int(seed)}

    return settings


def model_files(folder, adapter):
    """The outputs that are a model: its own files, and with an adapter those beside its base."""
    base = f"{folder}/base" if adapter else folder
    names = ["config.json", "tokenizer.json", "tokenizer_config.json"]
    files = {"model": f"{base}/model.safetensors"}
    files |= {name.partition(".")[0]: f"{base}/{name}" for name in names}
    if adapter:
        files["adapter"] = f"{folder}/adapter/adapter_model.safetensors"
        files["adapter_config"] = f"{folder}/adapter/adapter_config.json"
    return files


for method in METHODS:
    if method in config:
        check_options(
            method,
            Settings.of(config[method] | {"seed": 0}).options,
            sources.constant(f"sparsesum/finetuning/methods/{method}.py", "OPTIONS", ()),
        )

    rule:
        name:
            method
        input:
            model=checkpoint,
            tokens=tokenised("tokens/{corpus}/{model}/train.parquet"),
            tokenizer=tokenizer,
        output:
            **model_files(f"results/{method}/{CHECKPOINT}", adapts(method)),
            curve=f"results/{method}/{CHECKPOINT}/curve.csv",
            costs=f"results/{method}/{CHECKPOINT}/costs.json",
            provenance=f"results/{method}/{CHECKPOINT}/provenance.json",
        priority: priorities["train"]
        threads: config["threads"]["finetune"]
        resources:
            mem_mb=sized(4000, 8),
            runtime=sized(60, 0.6),
            gpu=gpus,
            gpu_mb=whole_gpu,
        params:
            code=code("finetune.py", f"sparsesum/finetuning/methods/{method}.py"),
            method=method,
            settings=training(method),
            device=config["device"],
            deterministic=config["deterministic"],
            threads=config["threads"]["finetune"],
        message:
            f"Fine-tuning ({method}) of {{wildcards.model}}, {{wildcards.variant}}"
        script:
            "../scripts/finetune.py"
