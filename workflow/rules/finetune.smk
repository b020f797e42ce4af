"""
Fine-tuned models, from the dense or a pruned checkpoint, on the tokens of the train split.

  out  results/full/CORPUS/MODEL/SPARSITY/         every parameter trained (a pruned one's zeros kept)
       results/qlora/CORPUS/MODEL/SPARSITY/        base/ in int8, adapter/ beside it
                                                   (transformers and peft load all three)
       .../curve.csv and .../costs.json            the loss curve; training time and peak memory

SPARSITY is SPARSITY@SEED for each but the first of `seeds`, here and in all that is made of it.
Training runs alone, since its time is a result.
"""


rule full:
    input:
        model=checkpoint,
        tokens="results/tokens/{corpus}/{model}/train.parquet",
        tokenizer="results/dense/{model}/tokenizer.json",
        code=scripts("full.py"),
    output:
        model="results/full/{corpus}/{model}/{sparsity}/model.safetensors",
        config="results/full/{corpus}/{model}/{sparsity}/config.json",
        tokenizer="results/full/{corpus}/{model}/{sparsity}/tokenizer.json",
        tokenizer_config="results/full/{corpus}/{model}/{sparsity}/tokenizer_config.json",
        curve="results/full/{corpus}/{model}/{sparsity}/curve.csv",
        costs="results/full/{corpus}/{model}/{sparsity}/costs.json",
        provenance="results/full/{corpus}/{model}/{sparsity}/provenance.json",
    log:
        "results/logs/full/{corpus}/{model}/{sparsity}.log",
    benchmark:
        "results/benchmarks/full/{corpus}/{model}/{sparsity}.tsv"
    priority: priorities["train"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: alone("full")
    resources:
        mem_mb=sized(4000, 8),
        runtime=sized(60, 0.4),
        gpu=gpus,
        gpu_mb=whole_gpu,
    params:
        settings=training("full"),
        device=config["device"],
        deterministic=config["deterministic"],
        threads=config["threads"]["full"],
    message:
        "Full fine-tuning of {wildcards.model}, {wildcards.sparsity}"
    script:
        "../scripts/full.py"


rule qlora:
    input:
        model=checkpoint,
        tokens="results/tokens/{corpus}/{model}/train.parquet",
        tokenizer="results/dense/{model}/tokenizer.json",
        code=scripts("qlora.py"),
    output:
        model="results/qlora/{corpus}/{model}/{sparsity}/base/model.safetensors",
        config="results/qlora/{corpus}/{model}/{sparsity}/base/config.json",
        tokenizer="results/qlora/{corpus}/{model}/{sparsity}/base/tokenizer.json",
        tokenizer_config="results/qlora/{corpus}/{model}/{sparsity}/base/tokenizer_config.json",
        adapter="results/qlora/{corpus}/{model}/{sparsity}/adapter/adapter_model.safetensors",
        adapter_config="results/qlora/{corpus}/{model}/{sparsity}/adapter/adapter_config.json",
        curve="results/qlora/{corpus}/{model}/{sparsity}/curve.csv",
        costs="results/qlora/{corpus}/{model}/{sparsity}/costs.json",
        provenance="results/qlora/{corpus}/{model}/{sparsity}/provenance.json",
    log:
        "results/logs/qlora/{corpus}/{model}/{sparsity}.log",
    benchmark:
        "results/benchmarks/qlora/{corpus}/{model}/{sparsity}.tsv"
    priority: priorities["train"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: alone("qlora")
    resources:
        mem_mb=sized(4000, 6),
        runtime=sized(60, 0.6),
        gpu=gpus,
        gpu_mb=whole_gpu,
    params:
        settings=training("qlora"),
        device=config["device"],
        deterministic=config["deterministic"],
        threads=config["threads"]["qlora"],
    message:
        "QLoRA fine-tuning of {wildcards.model}, {wildcards.sparsity}"
    script:
        "../scripts/qlora.py"
