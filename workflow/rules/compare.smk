"""
What differs and what is chance: any two rows on the same bills, and a row beside itself trained
with other seeds. No other target asks for either.

  in   the examples' scores and grounding of all rows; of the fine-tuned ones, with each of `seeds`
  out  results/comparisons.csv, and results/comparisons.md for people
       results/seeds.csv, and results/seeds.md for people

With one seed results/seeds.csv takes what there is. A further one costs its trainings, generations
and scores, and nothing that is measured with a clock.
"""


rule comparisons:
    input:
        examples=of_rows(f"results/examples/{ROW}.csv"),
        grounding=of_rows(f"results/grounding/{ROW}.csv"),
    output:
        csv="results/comparisons.csv",
        markdown="results/comparisons.md",
        page=page("comparisons", "1. Results", "which rows differ"),
        provenance="results/comparisons.provenance.json",
    localrule: True
    params:
        code=code("comparisons.py"),
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
        examples=of_seeds(f"results/examples/{ROW}.csv"),
        grounding=of_seeds(f"results/grounding/{ROW}.csv"),
    output:
        csv="results/seeds.csv",
        markdown="results/seeds.md",
        page=page("seeds", "1. Results", "seeds"),
        provenance="results/seeds.provenance.json",
    localrule: True
    params:
        code=code("seeds.py"),
        rows=cells(TRAINED),
        seeds=config["seeds"],
        metrics=config["comparisons"]["metrics"],
        preset=config["preset"],
        note=config["note"],
    message:
        "The spread between seeds of {params.preset}"
    script:
        "../scripts/seeds.py"
