"""
The results grid of "Pruning OPT for Summarization", and only what changed of it.

  bills -> tokens -> calibration set -> pruned checkpoint -> fine-tuned model -> generations
        -> scores and costs -> results/table3.csv -> results/audit.csv, results/claims.csv
        -> results/browse.html, and all of it in one report (rule report)

  dense -> shrunk checkpoint -> the same stages         -> results/table_compression.csv
  pruned checkpoint -> reconstruction errors, perplexity and scores -> results/table_pruning.csv
  scores -> results/comparisons.csv, and with further seeds -> results/seeds.csv

  a text of one's own, by any rows -> results/summaries/NAME.html

A row of config/grid.tsv is model x sparsity x fine-tuning; each stage's artifacts lie in
results/STAGE/, under just the part of the row that determines them.
"""

from snakemake.utils import min_version

min_version("9.27")


configfile: f"{workflow.basedir}/config/config.yaml"


report: "workflow/report/workflow.rst"


include: "workflow/rules/config.smk"
include: "workflow/rules/artifacts.smk"
include: "workflow/rules/resources.smk"


rule all:
    default_target: True
    input:
        "results/table3.csv",
        "results/table3.md",
        "results/provenance.html",
        plots=[
            f"results/plots/{name}.svg"
            for name in ["quality_size", "quality_time", "heat_map", "training_curves"]
            + ["sparsity_layers", *(["published"] if COUNTERPARTS else [])]
        ],
    localrule: True


# Then: snakemake report --report results/report.zip
rule report:
    input:
        rules.all.input,
        "results/table_costs.html",
        "results/comparisons.html",
        "results/table_cheats.html",
        "results/claims.html",
        "results/browse.html",
        audits=[
            *(["results/audit_counts.html"] if PUBLISHED else []),
            *(["results/audit.html"] if REPEATED else []),
        ],
        seeds="results/seeds.html" if SEEDS[1:] else [],
    localrule: True


include: "workflow/rules/download.smk"
include: "workflow/rules/corpus.smk"
include: "workflow/rules/models.smk"
include: "workflow/rules/shrink.smk"
include: "workflow/rules/prune.smk"
include: "workflow/rules/finetune.smk"
include: "workflow/rules/generate.smk"
include: "workflow/rules/score.smk"
include: "workflow/rules/inspect.smk"
include: "workflow/rules/measure.smk"
include: "workflow/rules/export.smk"
include: "workflow/rules/summaries.smk"
include: "workflow/rules/tables.smk"
include: "workflow/rules/audit.smk"
include: "workflow/rules/claims.smk"
include: "workflow/rules/browse.smk"
include: "workflow/rules/compare.smk"
include: "workflow/rules/plots.smk"
include: "workflow/rules/provenance.smk"
include: "workflow/rules/slurm.smk"
include: "workflow/rules/checks.smk"
include: "workflow/rules/conventions.smk"
include: "workflow/rules/messages.smk"


onstart:
    check_times()
    if submits():
        check_folders()
        check_status_command()
        end_orphans()
    else:
        check_gpu()
    if overviewed():
        begin_overview()
