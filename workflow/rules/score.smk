"""
Scores of each row's generations: how near they are to the references, and what the bills bear out.

  out  results/examples/CORPUS/MODEL/SPARSITY/FINETUNING.csv    ROUGE and BERTScore of each example
       results/grounding/CORPUS/MODEL/SPARSITY/FINETUNING.csv   facts, copying, repetition of each
                                                .../....jsonl   where in the texts they stand
       results/score/CORPUS/MODEL/SPARSITY/FINETUNING.json      means with intervals, shares

Three rules, so that neither another number of resamples nor another look at facts runs the encoder
again.
"""


def encoder_files(wildcards):
    """The files of an encoder that lies in a folder; the package's and the Hub's are pinned."""
    kinds = ["*.json", "*.txt", "*.model", "*.safetensors"]
    return files_in(located(config["score"]["encoder"]), [*kinds, *(f"*/{kind}" for kind in kinds)])


rule examples:
    input:
        validation="results/generate/{corpus}/{model}/{sparsity}/{finetuning}/validation.jsonl",
        test="results/generate/{corpus}/{model}/{sparsity}/{finetuning}/test.jsonl",
        manifest=manifest("encoder", ENCODER),
        encoder=encoder_files,
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
        gpu_mb=gpu_share(6000),
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


rule grounding:
    input:
        validation="results/generate/{corpus}/{model}/{sparsity}/{finetuning}/validation.jsonl",
        test="results/generate/{corpus}/{model}/{sparsity}/{finetuning}/test.jsonl",
        validation_bills="results/corpus/{corpus}/validation.jsonl",
        test_bills="results/corpus/{corpus}/test.jsonl",
        code=scripts("grounding.py"),
    output:
        figures="results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.csv",
        marks="results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.jsonl",
        provenance="results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.provenance.json",
    log:
        "results/logs/grounding/{corpus}/{model}/{sparsity}/{finetuning}.log",
    benchmark:
        "results/benchmarks/grounding/{corpus}/{model}/{sparsity}/{finetuning}.tsv"
    priority: priorities["evaluate"]
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=sized(1000),
        runtime=sized(20),
        gpu=0,
    message:
        "Facts, copying and repetition of {wildcards.model}, {wildcards.sparsity}, "
        "{wildcards.finetuning}"
    script:
        "../scripts/grounding.py"


rule score:
    input:
        examples="results/examples/{corpus}/{model}/{sparsity}/{finetuning}.csv",
        grounding="results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.csv",
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
