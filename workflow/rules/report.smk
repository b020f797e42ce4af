"""
Pictures of the results, for `snakemake --report`.

  in   results/table3.csv, and the loss curves of the trained rows; results/table_pruning.csv
  out  results/plots/quality_size.svg, results/plots/training_curves.svg
       results/plots/pruning.svg, which no other target asks for
"""


def curves(wildcards):
    """The loss curve of each trained row."""
    return [path.replace("costs.json", "curve.csv") for path in training_costs(wildcards)]


rule plots:
    input:
        table="results/table3.csv",
        curves=curves,
        code=scripts("plots.py"),
    output:
        quality_size=report(
            "results/plots/quality_size.svg",
            caption="../report/quality_size.rst",
            category="Results",
            labels={"plot": "quality against size"},
        ),
        training_curves=report(
            "results/plots/training_curves.svg",
            caption="../report/training_curves.rst",
            category="Training",
            labels={"plot": "loss curves"},
        ),
        provenance="results/plots/quality_size.provenance.json",
    log:
        "results/logs/plots.log",
    benchmark:
        "results/benchmarks/plots.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=20,
        gpu=0,
    message:
        "Plots of quality against size, and of the training curves"
    script:
        "../scripts/plots.py"


rule plot_pruning:
    input:
        table="results/table_pruning.csv",
        code=scripts("plot_pruning.py"),
    output:
        report(
            "results/plots/pruning.svg",
            caption="../report/pruning.rst",
            category="Results",
            labels={"plot": "pruners and patterns"},
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
        heading, _, note = table.read_text().splitlines()[:3]
        print(f"{heading.lstrip('# ')}: {table} and .csv\n{note}", file=sys.stderr)
    if "table_pruning" in made:
        table = Path("results/table_pruning.md")
        heading = table.read_text().splitlines()[0]
        print(f"{heading.lstrip('# ')}: {table} and .csv", file=sys.stderr)
