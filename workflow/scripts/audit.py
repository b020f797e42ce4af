"""Every published figure beside our run's, with a verdict."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import audit, files, grid, pages, published, shapes
    from sparsesum.errors import InputError

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*row) for row in settings.rows]
    lines = published.repeated(published.read(given.published) if given.published else [], rows)
    if not lines:
        raise InputError(
            f"preset {settings.preset} repeats no published row (keys published, grid): there is "
            "nothing to audit; add --configfile config/paper.yaml"
        )
    counts = shapes.of_files(given.shapes, settings.rank, settings.target_modules)
    table = files.read_csv(given.table)
    records = audit.audit(lines, dict(zip(rows, table, strict=True)), counts, settings.adapter_base)
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
