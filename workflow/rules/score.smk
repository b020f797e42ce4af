"""
Scores of each row's generations: how near they are to the references, and what the bills bear out.

  out  results/examples/CORPUS/MODEL/VARIANT/FINETUNING.csv    ROUGE and BERTScore of each example
       results/grounding/CORPUS/MODEL/VARIANT/FINETUNING.csv   facts, copying, repetition of each
                                               .../....jsonl   where in the texts they stand
       results/score/CORPUS/MODEL/VARIANT/FINETUNING.json      means with intervals, shares

Three rules, so that neither another number of resamples nor another look at facts runs the encoder
again.
"""

# ROUGE and BERTScore are loaded by their files.
METRICS = [
    "sparsesum/scoring/metrics/rouge/rouge.py",
    "sparsesum/scoring/metrics/bertscore/bertscore.py",
]


rule examples:
    input:
        validation=f"results/generate/{ROW}/validation.jsonl",
        test=f"results/generate/{ROW}/test.jsonl",
        manifest=manifest("encoder", ENCODER),
        encoder=encoder_files,
    output:
        f"results/examples/{ROW}.csv",
        provenance=f"results/examples/{ROW}.provenance.json",
    priority: priorities["evaluate"]
    threads: config["threads"]["score"]
    resources:
        mem_mb=sized(4000),
        gpu=gpus,
        gpu_mb=gpu_share(6000),
    params:
        code=code("examples.py", *METRICS),
        encoder=located(config["score"]["encoder"]),
        sha256=config["score"]["sha256"],
        layer=config["score"]["layer"],
        batch_size=config["score"]["batch_size"],
        device=config["device"],
        threads=config["threads"]["score"],
    message:
        "ROUGE and BERTScore of {wildcards.model}, {wildcards.variant}, {wildcards.finetuning}"
    script:
        "../scripts/examples.py"


rule grounding:
    input:
        validation=f"results/generate/{ROW}/validation.jsonl",
        test=f"results/generate/{ROW}/test.jsonl",
        validation_bills="results/corpus/{corpus}/validation.jsonl",
        test_bills="results/corpus/{corpus}/test.jsonl",
    output:
        figures=f"results/grounding/{ROW}.csv",
        marks=f"results/grounding/{ROW}.jsonl",
        provenance=f"results/grounding/{ROW}.provenance.json",
    priority: priorities["evaluate"]
    localrule: True
    params:
        code=code("grounding.py"),
    message:
        "Facts, copying and repetition of {wildcards.model}, {wildcards.variant}, "
        "{wildcards.finetuning}"
    script:
        "../scripts/grounding.py"


rule score:
    input:
        examples=f"results/examples/{ROW}.csv",
        grounding=f"results/grounding/{ROW}.csv",
    output:
        f"results/score/{ROW}.json",
        provenance=f"results/score/{ROW}.provenance.json",
    priority: priorities["evaluate"]
    params:
        code=code("score.py"),
        resamples=config["score"]["resamples"],
        seed=config["score"]["seed"],
    message:
        "Means and intervals of {wildcards.model}, {wildcards.variant}, {wildcards.finetuning}"
    script:
        "../scripts/score.py"
