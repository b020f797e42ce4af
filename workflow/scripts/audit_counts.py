"""Counts and sizes of the published table against the models' shapes; no weights are needed."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum.base import files
    from sparsesum.base.errors import InputError
    from sparsesum.evidence import audit, audit_counts
    from sparsesum.experiment import published_table
    from sparsesum.models import shapes
    from sparsesum.pages import pages

    given = snakemake.input
    if not given.published:
        raise InputError(
            "key 'published': null: there is no published table to audit; allowed: a folder such "
            "as resources/paper"
        )
    lines = {published_table.row_of(line): line for line in published_table.read(given.published)}
    protocol = files.read_json(given.protocol)
    counts = shapes.of_files(given.shapes, protocol["rank"], protocol["target_modules"])
    records = audit.audit_counts(lines, counts)
    found = audit_counts.findings(lines, counts, files.read_csv(given.cards), protocol["splits"])
    pages.write_table(
        pandas.DataFrame(records), audit.counts_markdown(records, found), snakemake.output
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
