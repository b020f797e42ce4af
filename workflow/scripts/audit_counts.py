"""Counts and sizes of the published table against the models' shapes; no weights are needed."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import audit, files, findings, pages, published, shapes
    from sparsesum.errors import InputError

    given = snakemake.input
    if not given.published:
        raise InputError(
            "key 'published': null: there is no published table to audit; allowed: a folder such "
            "as resources/paper"
        )
    lines = {published.row_of(line): line for line in published.read(given.published)}
    protocol = files.read_json(given.protocol)
    counts = shapes.of_files(given.shapes, protocol["rank"], protocol["target_modules"])
    records = audit.audit_counts(lines, counts)
    found = findings.findings(lines, counts, files.read_csv(given.cards), protocol["splits"])
    with files.whole(snakemake.output.csv) as draft:
        pandas.DataFrame(records).to_csv(draft, index=False)
    pages.write(
        audit.counts_markdown(records, found), snakemake.output.markdown, snakemake.output.page
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
