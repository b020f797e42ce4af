"""Every published figure beside our run's, with a verdict."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import audit, files, grid, pages, shapes

    given, settings = snakemake.input, snakemake.params
    if not given.published:
        raise audit.nothing_published(settings.preset)
    rows = [grid.Row(*row) for row in settings.rows]
    counts = shapes.of_files(given.shapes, settings.rank, settings.target_modules)
    table = files.read_csv(given.table)
    records = audit.audit(
        audit.published(files.read_csv(given.published), rows),
        dict(zip(rows, table, strict=True)),
        counts,
        settings.adapter_base,
    )
    with files.whole(snakemake.output.csv) as draft:
        pandas.DataFrame(records).to_csv(draft, index=False)
    pages.write(
        audit.markdown(records, table[0]["preset"], settings.note),
        snakemake.output.markdown,
        snakemake.output.page,
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
