"""
The paper's claims as tests on results. No other target asks for them: results/claims.csv does.

  in   the examples' scores and the costs of all rows; what base models wrote for the test split
  out  results/cheats/CORPUS/MODEL.csv, .jsonl     copying, repetition and silence, scored as examples
       results/table_cheats.csv and .md            which scores they raise
       results/claims.csv, and results/claims.md for people

A claim whose rows the grid lacks is "not testable", and the others are tested.
"""


def activation_aware():
    """The grid's pruners that look at activations."""
    used = sorted({row.pruner for row in ROWS} - {grid.NONE})
    return list(filter(calibrates, used))


rule cheats:
    input:
        validation="results/generate/{corpus}/{model}/dense/base/validation.jsonl",
        test="results/generate/{corpus}/{model}/dense/base/test.jsonl",
        validation_tokens="results/tokens/{corpus}/{model}/validation.parquet",
        test_tokens="results/tokens/{corpus}/{model}/test.parquet",
        validation_bills="results/corpus/{corpus}/validation.jsonl",
        test_bills="results/corpus/{corpus}/test.jsonl",
        tokenizer="results/dense/{model}/tokenizer.json",
        manifest=manifest("encoder", ENCODER),
        encoder=encoder_files,
    output:
        scores="results/cheats/{corpus}/{model}.csv",
        predictions="results/cheats/{corpus}/{model}.jsonl",
        provenance="results/cheats/{corpus}/{model}.provenance.json",
    threads: config["threads"]["score"]
    resources:
        mem_mb=sized(4000),
        gpu=gpus,
        gpu_mb=gpu_share(6000),
    params:
        code=code("cheats.py", *METRICS),
        encoder=located(config["score"]["encoder"]),
        prompt=config["prompt"],
        sha256=config["score"]["sha256"],
        layer=config["score"]["layer"],
        batch_size=config["score"]["batch_size"],
        device=config["device"],
        threads=config["threads"]["score"],
    message:
        "Scores of copying, repetition and silence, {wildcards.model}"
    script:
        "../scripts/cheats.py"


rule table_cheats:
    input:
        examples=of_bases("results/examples/{corpus}/{model}/dense/base.csv"),
        grounding=of_bases("results/grounding/{corpus}/{model}/dense/base.csv"),
        cheats=of_bases("results/cheats/{corpus}/{model}.csv"),
    output:
        csv="results/table_cheats.csv",
        markdown="results/table_cheats.md",
        page=page("table_cheats", "1. Results", "what cheating scores"),
        provenance="results/table_cheats.provenance.json",
    localrule: True
    params:
        code=code("table_cheats.py"),
        models=BASES,
        resamples=config["score"]["resamples"],
        seed=config["score"]["seed"],
        preset=config["preset"],
        note=config["note"],
    message:
        "Which scores cheating raises"
    script:
        "../scripts/table_cheats.py"


rule claims:
    input:
        examples=of_rows(f"results/examples/{ROW}.csv"),
        further=of_further_seeds(f"results/examples/{ROW}.csv"),
        costs=of_rows(f"results/measure/{ROW}.json"),
        bases=of_bases("results/generate/{corpus}/{model}/dense/base/test.jsonl"),
        cheats=of_bases("results/cheats/{corpus}/{model}.csv"),
        sources=of_bases("results/cheats/{corpus}/{model}.jsonl"),
    output:
        csv="results/claims.csv",
        markdown="results/claims.md",
        page=page("claims", "6. Claims", "the claims"),
        provenance="results/claims.provenance.json",
    localrule: True
    params:
        code=code("claims.py"),
        rows=cells(ROWS),
        bases=BASES,
        aware=activation_aware(),
        training_spread=config["training_spread"].get(CORPUS, {}),
        resamples=config["score"]["resamples"],
        seed=config["score"]["seed"],
        preset=config["preset"],
        note=config["note"],
    message:
        "The paper's claims on the results of {params.preset}"
    script:
        "../scripts/claims.py"
