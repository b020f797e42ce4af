"""
How far a row is from its dense model, without generating: zeros of its weights, errors of its
Linears' outputs, and perplexity.

  in   the dense and the pruned checkpoint, or the files that deploy a row; held-out text, and the
       test split's tokens
  out  results/sparsity/CORPUS/MODEL/VARIANT/FINETUNING.csv     tensor, layer, linear, zeros, weights
       results/reconstruct/CORPUS/MODEL/VARIANT.csv             layer, linear, error, zeros, weights
       results/likelihood/CORPUS/MODEL/VARIANT/FINETUNING.csv   text, id, tokens, nll (a sum, nats)
       results/perplexity/CORPUS/MODEL/VARIANT/FINETUNING.json  with intervals

Perplexity is two rules, so that another number of resamples loads no model. Only
results/table_pruning.csv asks for these but the zeros, which are drawn with the grid.
"""


rule sparsity:
    input:
        model=lambda wildcards: deployed(wildcards)["model"][0],
    output:
        f"results/sparsity/{ROW}.csv",
        provenance=f"results/sparsity/{ROW}.provenance.json",
    priority: priorities["evaluate"]
    localrule: True
    params:
        code=code("sparsity.py"),
    message:
        "Zeros of {wildcards.model}, {wildcards.variant}, {wildcards.finetuning}"
    script:
        "../scripts/sparsity.py"


rule reconstruct:
    input:
        dense=source("model.safetensors"),
        config=source("config.json"),
        pruned=lambda wildcards: checkpoint(wildcards)[0],
        heldout=tokenised("heldout/{corpus}/{model}.safetensors"),
    output:
        f"results/reconstruct/{CHECKPOINT}.csv",
        provenance=f"results/reconstruct/{CHECKPOINT}.provenance.json",
    wildcard_constraints:
        variant=f"dense|{PRUNED}",  # what is shrunk has other Linears
    priority: priorities["evaluate"]
    threads: config["threads"]["reconstruct"]
    resources:
        mem_mb=sized(3000, 1),
        runtime=sized(20, 0.1),
        gpu=gpus,
        gpu_mb=gpu_share(4000, 2),
    params:
        code=code("reconstruct.py"),
        device=config["device"],
        threads=config["threads"]["reconstruct"],
    message:
        "Reconstruction errors of {wildcards.model}, {wildcards.variant}"
    script:
        "../scripts/reconstruct.py"


rule likelihood:
    input:
        unpack(deployed),
        heldout=tokenised("heldout/{corpus}/{model}.safetensors"),
        tokens=tokenised("tokens/{corpus}/{model}/test.parquet"),
    output:
        f"results/likelihood/{ROW}.csv",
        provenance=f"results/likelihood/{ROW}.provenance.json",
    priority: priorities["evaluate"]
    threads: config["threads"]["likelihood"]
    resources:
        mem_mb=sized(3000, 5),
        runtime=sized(20, 0.1),
        gpu=gpus,
        gpu_mb=gpu_share(4000, 4),
    params:
        code=code("likelihood.py"),
        dtype=config["generate"]["dtype"],
        device=config["device"],
        threads=config["threads"]["likelihood"],
    message:
        "Likelihood of held-out text and of summaries: {wildcards.model}, {wildcards.variant}, "
        "{wildcards.finetuning}"
    script:
        "../scripts/likelihood.py"


rule perplexity:
    input:
        likelihood=f"results/likelihood/{ROW}.csv",
    output:
        f"results/perplexity/{ROW}.json",
        provenance=f"results/perplexity/{ROW}.provenance.json",
    priority: priorities["evaluate"]
    params:
        code=code("perplexity.py"),
        resamples=config["score"]["resamples"],
        seed=config["score"]["seed"],
    message:
        "Perplexities of {wildcards.model}, {wildcards.variant}, {wildcards.finetuning}"
    script:
        "../scripts/perplexity.py"
