"""
Scores: ROUGE and BERTScore of each row's generations.

  out  results/examples/CORPUS/MODEL/SPARSITY/FINETUNING.csv   the scores of each example
       results/score/CORPUS/MODEL/SPARSITY/FINETUNING.json     means with intervals, shares

Two rules, so that another number of resamples does not run the encoder again.
"""


rule examples:
    input:
        validation="results/generate/{corpus}/{model}/{sparsity}/{finetuning}/validation.jsonl",
        test="results/generate/{corpus}/{model}/{sparsity}/{finetuning}/test.jsonl",
        manifest=manifest("encoder", ENCODER),
        code=scripts(
            "examples.py",
            "sparsesum/metrics/rouge/rouge.py",
            "sparsesum/metrics/bertscore/bertscore.py",
        ),
    output:
        "results/examples/{corpus}/{model}/{sparsity}/{finetuning}.csv",
        provenance="results/examples/{corpus}/{model}/{sparsity}/{finetuning}.provenance.json",
    log:
        "results/logs/examples/{corpus}/{model}/{sparsity}/{finetuning}.log",
    benchmark:
        "results/benchmarks/examples/{corpus}/{model}/{sparsity}/{finetuning}.tsv"
    priority: priorities["evaluate"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: config["threads"]["score"]
    resources:
        mem_mb=sized(4000),
        runtime=sized(30),
        gpu=gpus,
    params:
        encoder=located(config["score"]["encoder"]),
        sha256=config["score"]["sha256"],
        layer=config["score"]["layer"],
        batch_size=config["score"]["batch_size"],
        device=config["device"],
        threads=config["threads"]["score"],
    message:
        "ROUGE and BERTScore of {wildcards.model}, {wildcards.sparsity}, {wildcards.finetuning}"
    script:
        "../scripts/examples.py"


rule score:
    input:
        examples="results/examples/{corpus}/{model}/{sparsity}/{finetuning}.csv",
        code=scripts("score.py"),
    output:
        "results/score/{corpus}/{model}/{sparsity}/{finetuning}.json",
        provenance="results/score/{corpus}/{model}/{sparsity}/{finetuning}.provenance.json",
    log:
        "results/logs/score/{corpus}/{model}/{sparsity}/{finetuning}.log",
    benchmark:
        "results/benchmarks/score/{corpus}/{model}/{sparsity}/{finetuning}.tsv"
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
        "Means and intervals of {wildcards.model}, {wildcards.sparsity}, {wildcards.finetuning}"
    script:
        "../scripts/score.py"
