"""Counts and sizes of the published table against the models' shapes; no weights are needed."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import audit, files, findings, grid, pages, shapes

    given, settings = snakemake.input, snakemake.params
    if not given.published:
        raise audit.nothing_published(settings.preset)
    lines = audit.published(
        files.read_csv(given.published), [grid.Row(*row) for row in settings.rows]
    )
    counts = shapes.of_files(given.shapes, settings.rank, settings.target_modules)
    records = audit.audit_counts(lines, counts)
    found = findings.findings(lines, counts, files.read_csv(given.cards), settings.splits)
    with files.whole(snakemake.output.csv) as draft:
        pandas.DataFrame(records).to_csv(draft, index=False)
    pages.write(
        audit.counts_markdown(records, found), snakemake.output.markdown, snakemake.output.page
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
