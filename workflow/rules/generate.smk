"""
Generations: what each row writes for each bill of a split, by greedy decoding.

  in   the files that deploy the row, and the split's tokens
  out  results/generate/CORPUS/MODEL/SPARSITY/FINETUNING/SPLIT.jsonl
       id, prompt_tokens, tokens, cut_off, prediction, reference
"""


rule generate:
    input:
        unpack(deployed),
        tokens="results/tokens/{corpus}/{model}/{split}.parquet",
        code=scripts("generate.py"),
    output:
        "results/generate/{corpus}/{model}/{sparsity}/{finetuning}/{split}.jsonl",
        provenance="results/generate/{corpus}/{model}/{sparsity}/{finetuning}/{split}.provenance.json",
    log:
        "results/logs/generate/{corpus}/{model}/{sparsity}/{finetuning}/{split}.log",
    benchmark:
        "results/benchmarks/generate/{corpus}/{model}/{sparsity}/{finetuning}/{split}.tsv"
    priority: priorities["evaluate"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: config["threads"]["generate"]
    resources:
        mem_mb=sized(3000, 5),
        runtime=sized(30, 0.2),
        gpu=gpus,
    params:
        settings=config["generate"],
        prompt=config["prompt"],
        device=config["device"],
        threads=config["threads"]["generate"],
    message:
        "Summaries of the {wildcards.split} split by {wildcards.model}, {wildcards.sparsity}, "
        "{wildcards.finetuning}"
    script:
        "../scripts/generate.py"
