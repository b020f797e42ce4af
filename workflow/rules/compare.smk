"""
What differs and what is chance: any two rows on the same bills, and a row beside itself trained
with other seeds. No other target asks for either.

  in   the examples' scores and grounding of all rows; of the fine-tuned ones, with each of `seeds`
  out  results/comparisons.csv, and results/comparisons.md for people
       results/seeds.csv, and results/seeds.md for people

With one seed results/seeds.csv takes what there is. A further one costs its trainings, generations
and scores, and nothing that is measured with a clock.
"""


def of_seeds(template):
    """The artifact of each fine-tuned row: of all with the first seed, then of all with the next."""
    return [path for seed in SEEDS for path in of_rows(template, TRAINED, seed)]


rule comparisons:
    input:
        examples=of_rows("results/examples/{corpus}/{model}/{sparsity}/{finetuning}.csv"),
        grounding=of_rows("results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.csv"),
        code=scripts("comparisons.py"),
    output:
        csv="results/comparisons.csv",
        markdown="results/comparisons.md",
        page=report(
            "results/comparisons.html",
            caption="../report/comparisons.rst",
            category="1. Results",
            labels={"shows": "which rows differ"},
        ),
        provenance="results/comparisons.provenance.json",
    log:
        "results/logs/comparisons.log",
    benchmark:
        "results/benchmarks/comparisons.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        rows=cells(ROWS),
        metrics=config["comparisons"]["metrics"],
        resamples=config["comparisons"]["resamples"],
        seed=config["score"]["seed"],
        preset=config["preset"],
        note=config["note"],
    message:
        "Differences of each two rows of {params.preset}"
    script:
        "../scripts/comparisons.py"


rule seeds:
    input:
        examples=of_seeds("results/examples/{corpus}/{model}/{sparsity}/{finetuning}.csv"),
        grounding=of_seeds("results/grounding/{corpus}/{model}/{sparsity}/{finetuning}.csv"),
        code=scripts("seeds.py"),
    output:
        csv="results/seeds.csv",
        markdown="results/seeds.md",
        page=report(
            "results/seeds.html",
            caption="../report/seeds.rst",
            category="1. Results",
            labels={"shows": "seeds"},
        ),
        provenance="results/seeds.provenance.json",
    log:
        "results/logs/seeds.log",
    benchmark:
        "results/benchmarks/seeds.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        rows=cells(TRAINED),
        seeds=config["seeds"],
        metrics=config["comparisons"]["metrics"],
        preset=config["preset"],
        note=config["note"],
    message:
        "The spread between seeds of {params.preset}"
    script:
        "../scripts/seeds.py"
