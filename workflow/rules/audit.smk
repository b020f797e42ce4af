"""
The audit: the published table, figure by figure, with a verdict on each.

  in   resources/paper (the key `published`): the published table, its protocol, model cards, shapes
  out  results/audit_counts.csv and .md    counts and sizes, from shapes alone: no weights needed
       results/audit.csv and .md           every figure, beside this run's table

The first is about what was published, whatever the grid; the second about the grid's rows that
repeat it.
"""


def of_paper(name):
    """A file of the folder with what was published; none where there is no such folder."""
    if config["published"] is None:
        return []
    return f"{located(config['published'])}/{name}"


STANDS_FOR = {row.model: config["models"][row.model].get("stands_for") for row in ROWS}
try:
    PUBLISHED = published.read(of_paper("table3.csv")) if config["published"] else []
    REPEATED = published.repeated(PUBLISHED, ROWS)
    COUNTERPARTS = published.counterparts(PUBLISHED, ROWS, STANDS_FOR if PUBLISHED else {})
except InputError as error:
    raise WorkflowError(str(error))

# What of it there is for the active configuration.
AUDITS = ["results/audit_counts.html"] if PUBLISHED else []
AUDITS += ["results/audit.html"] if REPEATED else []


def shapes_of_paper(rows):
    """The shape of each model of the rows."""
    return [of_paper(f"{model}.json") for model in dict.fromkeys(row.model for row in rows)]


rule audit_counts:
    input:
        published=of_paper("table3.csv"),
        cards=of_paper("model_cards.csv"),
        protocol=of_paper("protocol.json"),
        shapes=shapes_of_paper(map(published.row_of, PUBLISHED)),
        code=scripts("audit_counts.py"),
    output:
        csv="results/audit_counts.csv",
        markdown="results/audit_counts.md",
        page=report(
            "results/audit_counts.html",
            caption="../report/audit_counts.rst",
            category="7. Audit",
            labels={"shows": "counts and sizes"},
        ),
        provenance="results/audit_counts.provenance.json",
    log:
        "results/logs/audit_counts.log",
    benchmark:
        "results/benchmarks/audit_counts.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
        gpu=0,
    message:
        "Audit of the published counts and sizes"
    script:
        "../scripts/audit_counts.py"


rule audit:
    input:
        # Without a published row the job says so, and nothing is made for it.
        table="results/table3.csv" if REPEATED else [],
        published=of_paper("table3.csv"),
        shapes=shapes_of_paper(REPEATED),
        code=scripts("audit.py"),
    output:
        csv="results/audit.csv",
        markdown="results/audit.md",
        page=report(
            "results/audit.html",
            caption="../report/audit.rst",
            category="7. Audit",
            labels={"shows": "published and ours"},
        ),
        provenance="results/audit.provenance.json",
    log:
        "results/logs/audit.log",
    benchmark:
        "results/benchmarks/audit.tsv"
    conda:
        "../../envs/sparsesum.yaml"
    threads: 1
    resources:
        mem_mb=2000,
        runtime=10,
        gpu=0,
    params:
        rows=cells(ROWS),
        preset=config["preset"],
        rank=config["qlora"]["rank"],
        target_modules=config["qlora"]["target_modules"],
        adapter_base=config["adapter_base"],
        note=config["note"],
    message:
        "Audit of the published table"
    script:
        "../scripts/audit.py"
