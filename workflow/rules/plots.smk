"""
Pictures of the results, for `snakemake --report`; a rule each, and what is drawn beside it as CSV.

  in   results/table3.csv; the trained rows' loss curves; each checkpoint's zeros; what was published
  out  results/plots/NAME.svg, results/plots/NAME.csv
       quality_size, quality_time, heat_map, training_curves, sparsity_layers
       published, where rows were published or their models stand for published ones
       pruning, which no other target asks for; its CSV is results/table_pruning.csv
"""

from dataclasses import replace

# Each checkpoint of the grid: a pruned one as pruned, then what its rows made of it.
CHECKPOINTS = list(
    dict.fromkeys(
        made
        for row in ROWS
        for made in ([] if row.pruner == grid.NONE else [replace(row, finetuning="base")]) + [row]
    )
)

PLOTS = [
    f"results/plots/{name}.svg"
    for name in ("quality_size", "quality_time", "heat_map", "training_curves", "sparsity_layers")
]
if COUNTERPARTS:
    PLOTS.append("results/plots/published.svg")


rule quality_size:
    input:
        table="results/table3.csv",
        code=scripts("quality_size.py"),
    output:
        plot=report(
            "results/plots/quality_size.svg",
            caption="../report/quality_size.rst",
            category="1. Results",
            labels={"shows": "quality against size"},
        ),
        data="results/plots/quality_size.csv",
        provenance="results/plots/quality_size.provenance.json",
    log:
        "results/logs/quality_size.log",
    benchmark:
        "results/benchmarks/quality_size.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    message:
        "Plot of quality against size on disk"
    script:
        "../scripts/quality_size.py"


rule quality_time:
    input:
        table="results/table3.csv",
        code=scripts("quality_time.py"),
    output:
        plot=report(
            "results/plots/quality_time.svg",
            caption="../report/quality_time.rst",
            category="1. Results",
            labels={"shows": "quality against time"},
        ),
        data="results/plots/quality_time.csv",
        provenance="results/plots/quality_time.provenance.json",
    log:
        "results/logs/quality_time.log",
    benchmark:
        "results/benchmarks/quality_time.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    message:
        "Plot of quality against time"
    script:
        "../scripts/quality_time.py"


rule heat_map:
    input:
        table="results/table3.csv",
        code=scripts("heat_map.py"),
    output:
        plot=report(
            "results/plots/heat_map.svg",
            caption="../report/heat_map.rst",
            category="1. Results",
            labels={"shows": "heat map of the grid"},
        ),
        data="results/plots/heat_map.csv",
        provenance="results/plots/heat_map.provenance.json",
    log:
        "results/logs/heat_map.log",
    benchmark:
        "results/benchmarks/heat_map.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    message:
        "Heat map of the grid"
    script:
        "../scripts/heat_map.py"


rule training_curves:
    input:
        curves=[
            f"results/{row.finetuning}/{CORPUS}/{row.model}/{row.checkpoint}/curve.csv"
            for row in TRAINED
        ],
        code=scripts("training_curves.py"),
    output:
        plot=report(
            "results/plots/training_curves.svg",
            caption="../report/training_curves.rst",
            category="4. Training",
            labels={"shows": "loss curves"},
        ),
        data="results/plots/training_curves.csv",
        provenance="results/plots/training_curves.provenance.json",
    log:
        "results/logs/training_curves.log",
    benchmark:
        "results/benchmarks/training_curves.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        rows=cells(TRAINED),
        preset=config["preset"],
    message:
        "Plot of the training curves"
    script:
        "../scripts/training_curves.py"


rule sparsity_layers:
    input:
        counts=of_rows("results/sparsity/{corpus}/{model}/{sparsity}/{finetuning}.csv", CHECKPOINTS),
        code=scripts("sparsity_layers.py"),
    output:
        plot=report(
            "results/plots/sparsity_layers.svg",
            caption="../report/sparsity_layers.rst",
            category="3. Pruning",
            labels={"shows": "zeros by layer"},
        ),
        data="results/plots/sparsity_layers.csv",
        provenance="results/plots/sparsity_layers.provenance.json",
    log:
        "results/logs/sparsity_layers.log",
    benchmark:
        "results/benchmarks/sparsity_layers.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        rows=cells(CHECKPOINTS),
        preset=config["preset"],
    message:
        "Plot of the zeros, layer by layer"
    script:
        "../scripts/sparsity_layers.py"


rule published:
    input:
        # Without a published row the job says so, and nothing is made for it.
        table="results/table3.csv" if COUNTERPARTS else [],
        published=of_paper("table3.csv"),
        code=scripts("published.py"),
    output:
        plot=report(
            "results/plots/published.svg",
            caption="../report/published.rst",
            category="7. Audit",
            labels={"shows": "ours and published"},
        ),
        data="results/plots/published.csv",
        provenance="results/plots/published.provenance.json",
    log:
        "results/logs/published.log",
    benchmark:
        "results/benchmarks/published.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    params:
        rows=cells(ROWS),
        stands_for=STANDS_FOR,
        preset=config["preset"],
    message:
        "Plot of ours against published"
    script:
        "../scripts/published.py"


rule plot_pruning:
    input:
        table="results/table_pruning.csv",
        code=scripts("plot_pruning.py"),
    output:
        report(
            "results/plots/pruning.svg",
            caption="../report/pruning.rst",
            category="3. Pruning",
            labels={"shows": "pruners and patterns"},
        ),
        provenance="results/plots/pruning.provenance.json",
    log:
        "results/logs/plot_pruning.log",
    benchmark:
        "results/benchmarks/plot_pruning.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    message:
        "Plot of pruners and patterns"
    script:
        "../scripts/plot_pruning.py"


onsuccess:
    # The jobs of this run's targets and of all that they need.
    made = {job.rule.name for job in workflow.dag.jobs}
    if "table3" in made:
        table = Path("results/table3.md")
        heading, _, note = table.read_text(encoding="utf-8").splitlines()[:3]
        print(f"{heading.lstrip('# ')}: {table} and .csv\n{note}", file=sys.stderr)
    if "table_pruning" in made:
        table = Path("results/table_pruning.md")
        heading = table.read_text(encoding="utf-8").splitlines()[0]
        print(f"{heading.lstrip('# ')}: {table} and .csv", file=sys.stderr)
    if "browse" in made:
        print("To read the outputs: results/browse.html", file=sys.stderr)
    if "report" in made:
        print("All in one file: snakemake report --report results/report.zip", file=sys.stderr)
