"""
How far a row is from its dense model, told without generating: zeros of its weights, errors of its
Linears' outputs, and perplexity.

  in   the dense and the pruned checkpoint, or the files that deploy a row; held-out text, and the
       test split's tokens
  out  results/sparsity/CORPUS/MODEL/SPARSITY/FINETUNING.csv     tensor, layer, linear, zeros, weights
       results/reconstruct/CORPUS/MODEL/SPARSITY.csv             layer, linear, error, zeros, weights
       results/likelihood/CORPUS/MODEL/SPARSITY/FINETUNING.csv   text, id, tokens, nll (a sum, nats)
       results/perplexity/CORPUS/MODEL/SPARSITY/FINETUNING.json  with intervals

Perplexity is two rules, so that another number of resamples loads no model. Only
results/table_pruning.csv asks for these but the zeros, which are drawn with the grid.
"""


rule sparsity:
    input:
        model=lambda wildcards: deployed(wildcards)["model"][0],
        code=scripts("sparsity.py"),
    output:
        "results/sparsity/{corpus}/{model}/{sparsity}/{finetuning}.csv",
        provenance="results/sparsity/{corpus}/{model}/{sparsity}/{finetuning}.provenance.json",
    log:
        "results/logs/sparsity/{corpus}/{model}/{sparsity}/{finetuning}.log",
    benchmark:
        "results/benchmarks/sparsity/{corpus}/{model}/{sparsity}/{finetuning}.tsv"
    priority: priorities["evaluate"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(500, 1),
        runtime=sized(10),
        gpu=0,
    message:
        "Zeros of {wildcards.model}, {wildcards.sparsity}, {wildcards.finetuning}"
    script:
        "../scripts/sparsity.py"


rule reconstruct:
    input:
        dense="results/dense/{model}/model.safetensors",
        config="results/dense/{model}/config.json",
        pruned=lambda wildcards: checkpoint(wildcards)[0],
        heldout="results/heldout/{corpus}/{model}.safetensors",
        code=scripts("reconstruct.py"),
    output:
        "results/reconstruct/{corpus}/{model}/{sparsity}.csv",
        provenance="results/reconstruct/{corpus}/{model}/{sparsity}.provenance.json",
    log:
        "results/logs/reconstruct/{corpus}/{model}/{sparsity}.log",
    benchmark:
        "results/benchmarks/reconstruct/{corpus}/{model}/{sparsity}.tsv"
    priority: priorities["evaluate"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: config["threads"]["reconstruct"]
    resources:
        mem_mb=sized(3000, 1),
        runtime=sized(20, 0.1),
        gpu=gpus,
        gpu_mb=gpu_share(4000, 2),
    params:
        device=config["device"],
        threads=config["threads"]["reconstruct"],
    message:
        "Reconstruction errors of {wildcards.model}, {wildcards.sparsity}"
    script:
        "../scripts/reconstruct.py"


rule likelihood:
    input:
        unpack(deployed),
        heldout="results/heldout/{corpus}/{model}.safetensors",
        tokens="results/tokens/{corpus}/{model}/test.parquet",
        code=scripts("likelihood.py"),
    output:
        "results/likelihood/{corpus}/{model}/{sparsity}/{finetuning}.csv",
        provenance="results/likelihood/{corpus}/{model}/{sparsity}/{finetuning}.provenance.json",
    log:
        "results/logs/likelihood/{corpus}/{model}/{sparsity}/{finetuning}.log",
    benchmark:
        "results/benchmarks/likelihood/{corpus}/{model}/{sparsity}/{finetuning}.tsv"
    priority: priorities["evaluate"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: config["threads"]["likelihood"]
    resources:
        mem_mb=sized(3000, 5),
        runtime=sized(20, 0.1),
        gpu=gpus,
        gpu_mb=gpu_share(4000, 4),
    params:
        dtype=config["generate"]["dtype"],
        device=config["device"],
        threads=config["threads"]["likelihood"],
    message:
        "Likelihood of held-out text and of summaries: {wildcards.model}, {wildcards.sparsity}, "
        "{wildcards.finetuning}"
    script:
        "../scripts/likelihood.py"


rule perplexity:
    input:
        likelihood="results/likelihood/{corpus}/{model}/{sparsity}/{finetuning}.csv",
        code=scripts("perplexity.py"),
    output:
        "results/perplexity/{corpus}/{model}/{sparsity}/{finetuning}.json",
        provenance="results/perplexity/{corpus}/{model}/{sparsity}/{finetuning}.provenance.json",
    log:
        "results/logs/perplexity/{corpus}/{model}/{sparsity}/{finetuning}.log",
    benchmark:
        "results/benchmarks/perplexity/{corpus}/{model}/{sparsity}/{finetuning}.tsv"
    priority: priorities["evaluate"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(1000),
        runtime=sized(20),
        gpu=0,
    params:
        resamples=config["score"]["resamples"],
        seed=config["score"]["seed"],
    message:
        "Perplexities of {wildcards.model}, {wildcards.sparsity}, {wildcards.finetuning}"
    script:
        "../scripts/perplexity.py"
