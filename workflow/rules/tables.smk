"""
The tables: the results grid, one line a row of config/grid.tsv, the paper's columns first; what the
rows cost; all pruners at all patterns, one line a pruned checkpoint, as pruned and after QLoRA; and
the rows of config/compression.tsv, shrunk, pruned and fine-tuned, with what each costs.

  out  results/table3.csv, and results/table3.md as the paper prints it
       results/table_costs.md, from results/table3.csv
       results/table_pruning.csv, and results/table_pruning.md for people
       results/table_compression.csv, and results/table_compression.md
       each .md as a page, too, for the report (.html)

No other target asks for table_pruning and table_compression. Of a row of the grid they take what
there is.
"""


rule table3:
    input:
        scores=of_rows(f"results/score/{ROW}.json"),
        further=of_further_seeds(f"results/score/{ROW}.json"),
        costs=of_rows(f"results/measure/{ROW}.json"),
        training=of_trained("costs.json"),
    output:
        csv=report(
            "results/table3.csv",
            caption="../report/table3.rst",
            category="1. Results",
            labels={"shows": "the grid, all columns, as CSV"},
        ),
        markdown="results/table3.md",
        page=page("table3", "1. Results", "the grid"),
        provenance="results/table3.provenance.json",
    localrule: True
    params:
        code=code("table3.py"),
        rows=cells(ROWS),
        training_spread=config["training_spread"].get(CORPUS, {}),
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
    output:
        markdown="results/table_costs.md",
        page=page("table_costs", "5. Costs", "parameters, size, time, memory"),
        provenance="results/table_costs.provenance.json",
    localrule: True
    params:
        code=code("table_costs.py"),
        note=config["note"],
    message:
        "The costs of all rows"
    script:
        "../scripts/table_costs.py"


rule table_pruning:
    input:
        reconstruction=of_rows(f"results/reconstruct/{CHECKPOINT}.csv", PRUNING["base"]),
        perplexity_pruned=of_rows(f"results/perplexity/{ROW}.json", PRUNING["base"]),
        perplexity_qlora=of_rows(f"results/perplexity/{ROW}.json", PRUNING["qlora"]),
        scores_pruned=of_rows(f"results/score/{ROW}.json", PRUNING["base"]),
        scores_qlora=of_rows(f"results/score/{ROW}.json", PRUNING["qlora"]),
    output:
        csv="results/table_pruning.csv",
        markdown="results/table_pruning.md",
        page=page("table_pruning", "3. Pruning", "pruners and patterns"),
        provenance="results/table_pruning.provenance.json",
    localrule: True
    params:
        code=code("table_pruning.py"),
        rows=[[row.model, row.pruner, row.sparsity] for row in PRUNING["base"]],
        adapter_base=config["adapter_base"],
        preset=config["preset"],
        note=config["note"],
        corpus=CORPUS,
    message:
        "The pruning table of {params.preset}"
    script:
        "../scripts/table_pruning.py"


rule table_compression:
    input:
        scores=of_rows(f"results/score/{ROW}.json", COMPRESSED),
        costs=of_rows(f"results/measure/{ROW}.json", COMPRESSED),
    output:
        csv="results/table_compression.csv",
        markdown="results/table_compression.md",
        page=page("table_compression", "8. Compression", "shrunk, pruned and fine-tuned rows"),
        provenance="results/table_compression.provenance.json",
    localrule: True
    params:
        code=code("table_compression.py"),
        rows=[[getattr(row, column) for column in grid.SHRUNK] for row in COMPRESSED],
        training_spread=config["training_spread"].get(CORPUS, {}),
        preset=config["preset"],
        note=config["note"],
        corpus=CORPUS,
    message:
        "The compression table of {params.preset}"
    script:
        "../scripts/table_compression.py"
