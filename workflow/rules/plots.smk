"""
Pictures of the results, for `snakemake --report`; a rule each, and what is drawn beside it as CSV.

  in   results/table3.csv; the trained rows' loss curves; each checkpoint's zeros; what was published
  out  results/plots/NAME.svg, results/plots/NAME.csv
       quality_size, quality_time, heat_map, training_curves, sparsity_layers
       published, where rows were published or their models stand for published ones
       pruning and compression, which no other target asks for; their CSVs are
       results/table_pruning.csv and results/table_compression.csv
"""

from dataclasses import replace

# Each checkpoint of the grid: a pruned one as pruned, then what its rows made from it.
CHECKPOINTS = list(
    dict.fromkeys(
        each
        for row in ROWS
        for each in ([] if row.pruner == grid.NONE else [replace(row, finetuning=grid.BASE)])
        + [row]
    )
)
PRESET = {"preset": config["preset"]}

# Of each picture: what it shows, where in the report, and its rule's inputs and params.
PICTURES = {
    "quality_size": (
        "quality against size",
        "1. Results",
        {"table": "results/table3.csv"},
        {},
    ),
    "quality_time": (
        "quality against time",
        "1. Results",
        {"table": "results/table3.csv"},
        {},
    ),
    "heat_map": (
        "heat map of the grid",
        "1. Results",
        {"table": "results/table3.csv"},
        {},
    ),
    "training_curves": (
        "loss curves",
        "4. Training",
        {"curves": of_trained("curve.csv")},
        {"rows": cells(TRAINED)} | PRESET,
    ),
    "sparsity_layers": (
        "zeros by layer",
        "3. Pruning",
        {"counts": of_rows(f"results/sparsity/{ROW}.csv", CHECKPOINTS)},
        {"rows": cells(CHECKPOINTS)} | PRESET,
    ),
    "published": (
        "ours and published",
        "7. Audit",
        # Without a published row the job says so, and nothing is made for it.
        {
            "table": "results/table3.csv" if COUNTERPARTS else [],
            "published": of_paper("table3.csv"),
        },
        {"rows": cells(ROWS), "stands_for": STANDS_FOR} | PRESET,
    ),
}

for picture, (shows, category, inputs, more) in PICTURES.items():

    rule:
        name:
            picture
        input:
            **inputs,
        output:
            plot=report(
                f"results/plots/{picture}.svg",
                caption=f"../report/{picture}.rst",
                category=category,
                labels={"shows": shows},
            ),
            data=f"results/plots/{picture}.csv",
            provenance=f"results/plots/{picture}.provenance.json",
        localrule: True
        params:
            **more,
            code=code(f"{picture}.py"),
            picture=picture,
        message:
            f"Plot: {shows}"
        script:
            "../scripts/{params.picture}.py"


rule plot_pruning:
    input:
        table="results/table_pruning.csv",
    output:
        report(
            "results/plots/pruning.svg",
            caption="../report/pruning.rst",
            category="3. Pruning",
            labels={"shows": "pruners and patterns"},
        ),
        provenance="results/plots/pruning.provenance.json",
    localrule: True
    params:
        code=code("plot_pruning.py"),
    message:
        "Plot: pruners and patterns"
    script:
        "../scripts/plot_pruning.py"


rule plot_compression:
    input:
        table="results/table_compression.csv",
    output:
        report(
            "results/plots/compression.svg",
            caption="../report/compression.rst",
            category="8. Compression",
            labels={"shows": "quality against each cost"},
        ),
        provenance="results/plots/compression.provenance.json",
    localrule: True
    params:
        code=code("plot_compression.py"),
    message:
        "Plot: quality against parameters, bytes and time"
    script:
        "../scripts/plot_compression.py"
