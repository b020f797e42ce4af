"""
The tables: the results grid, one line a row of config/grid.tsv, the paper's columns first; what the
rows cost; and all pruners at all patterns, one line a pruned checkpoint, as pruned and after QLoRA.

  out  results/table3.csv, and results/table3.md as the paper prints it
       results/table_costs.md, from results/table3.csv
       results/table_pruning.csv, and results/table_pruning.md for people
       each .md as a page, too, for the report (.html)

No other target asks for table_pruning. Of a checkpoint that is a row of the grid it takes what there
is.
"""


def training_costs(wildcards):
    """The training costs of the rows that were trained."""
    return [
        f"results/{row.finetuning}/{CORPUS}/{row.model}/{row.checkpoint}/costs.json"
        for row in TRAINED
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
            category="1. Results",
            labels={"shows": "the grid, all columns, as CSV"},
        ),
        markdown="results/table3.md",
        page=report(
            "results/table3.html",
            caption="../report/table3.rst",
            category="1. Results",
            labels={"shows": "the grid"},
        ),
        provenance="results/table3.provenance.json",
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
        rows=cells(ROWS),
        preset=config["preset"],
        note=config["note"],
        corpus=CORPUS,
    message:
        "The table of {params.preset}"
    script:
        "../scripts/table3.py"


rule table_costs:
    input:
        table="results/table3.csv",
        code=scripts("table_costs.py"),
    output:
        markdown="results/table_costs.md",
        page=report(
            "results/table_costs.html",
            caption="../report/table_costs.rst",
            category="5. Costs",
            labels={"shows": "parameters, size, time, memory"},
        ),
        provenance="results/table_costs.provenance.json",
    log:
        "results/logs/table_costs.log",
    benchmark:
        "results/benchmarks/table_costs.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
        gpu=0,
    params:
        note=config["note"],
    message:
        "The costs of all rows"
    script:
        "../scripts/table_costs.py"


rule table_pruning:
    input:
        reconstruction=of_rows(
            "results/reconstruct/{corpus}/{model}/{sparsity}.csv", PRUNING["base"]
        ),
        perplexity_pruned=of_rows(
            "results/perplexity/{corpus}/{model}/{sparsity}/{finetuning}.json", PRUNING["base"]
        ),
        perplexity_qlora=of_rows(
            "results/perplexity/{corpus}/{model}/{sparsity}/{finetuning}.json", PRUNING["qlora"]
        ),
        scores_pruned=of_rows(
            "results/score/{corpus}/{model}/{sparsity}/{finetuning}.json", PRUNING["base"]
        ),
        scores_qlora=of_rows(
            "results/score/{corpus}/{model}/{sparsity}/{finetuning}.json", PRUNING["qlora"]
        ),
        code=scripts("table_pruning.py"),
    output:
        csv="results/table_pruning.csv",
        markdown="results/table_pruning.md",
        page=report(
            "results/table_pruning.html",
            caption="../report/table_pruning.rst",
            category="3. Pruning",
            labels={"shows": "pruners and patterns"},
        ),
        provenance="results/table_pruning.provenance.json",
    log:
        "results/logs/table_pruning.log",
    benchmark:
        "results/benchmarks/table_pruning.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=1000,
        runtime=20,
        gpu=0,
    params:
        rows=[[row.model, row.pruner, row.sparsity] for row in PRUNING["base"]],
        adapter_base=config["adapter_base"],
        preset=config["preset"],
        note=config["note"],
        corpus=CORPUS,
    message:
        "The pruning table of {params.preset}"
    script:
        "../scripts/table_pruning.py"
