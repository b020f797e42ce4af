"""
The results grid: one line a row of config/grid.tsv, the paper's columns first.

  out  results/table3.csv, and results/table3.md as the paper prints it
"""


def training_costs(wildcards):
    """The training costs of the rows that were trained."""
    return [
        f"results/{row.finetuning}/{CORPUS}/{row.model}/{row.checkpoint}/costs.json"
        for row in ROWS
        if row.finetuning != "base"
    ]


rule table3:
    input:
        scores=of_rows("results/score/{corpus}/{model}/{sparsity}/{finetuning}.json"),
        costs=of_rows("results/measure/{corpus}/{model}/{sparsity}/{finetuning}.json"),
        training=training_costs,
        code=scripts("table3.py"),
    output:
        csv=report(
            "results/table3.csv",
            caption="../report/table3.rst",
            category="Results",
            labels={"table": "the grid"},
        ),
        markdown="results/table3.md",
    log:
        "results/logs/table3.log",
    benchmark:
        "results/benchmarks/table3.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
        gpu=0,
    params:
        rows=[[row.model, row.finetuning, row.pruner, row.sparsity] for row in ROWS],
        preset=config["preset"],
        note=config["note"],
        corpus=CORPUS,
    message:
        "The table of {params.preset}"
    script:
        "../scripts/table3.py"
