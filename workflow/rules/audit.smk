"""
The audit: the published table, figure by figure, with a verdict on each.

  in   resources/paper (the key `published`): the published table, its protocol, model cards, shapes
  out  results/audit_counts.csv and .md    counts and sizes, from shapes alone: no weights needed
       results/audit.csv and .md           every figure, beside this run's table

The first is about what was published, whatever the grid; the second about the grid's rows that
repeat it.
"""


def shapes_of_paper(rows):
    """The shape of each model of the rows."""
    return [of_paper(f"{model}.json") for model in dict.fromkeys(row.model for row in rows)]


rule audit_counts:
    input:
        published=of_paper("table3.csv"),
        cards=of_paper("model_cards.csv"),
        protocol=of_paper("protocol.json"),
        shapes=shapes_of_paper(map(published_table.row_of, PUBLISHED)),
    output:
        csv="results/audit_counts.csv",
        markdown="results/audit_counts.md",
        page=page("audit_counts", "7. Audit", "counts and sizes"),
        provenance="results/audit_counts.provenance.json",
    localrule: True
    params:
        code=code("audit_counts.py"),
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
    output:
        csv="results/audit.csv",
        markdown="results/audit.md",
        page=page("audit", "7. Audit", "published and ours"),
        provenance="results/audit.provenance.json",
    localrule: True
    params:
        code=code("audit.py"),
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
