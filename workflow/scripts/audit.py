"""Every published figure beside our run's, with a verdict."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum.base import files
    from sparsesum.base.errors import InputError
    from sparsesum.evidence import audit
    from sparsesum.experiment import grid, published_table
    from sparsesum.models import shapes
    from sparsesum.pages import pages

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*row) for row in settings.rows]
    lines = published_table.repeated(
        published_table.read(given.published) if given.published else [], rows
    )
    if not lines:
        raise InputError(
            f"preset {settings.preset} repeats no published row (keys published, grid): there is "
            "nothing to audit; add --configfile config/paper.yaml"
        )
    counts = shapes.of_files(given.shapes, settings.rank, settings.target_modules)
    table = files.read_csv(given.table)
    records = audit.audit(lines, dict(zip(rows, table, strict=True)), counts, settings.adapter_base)
    pages.write_table(
        pandas.DataFrame(records),
        audit.markdown(records, table[0]["preset"], settings.note),
        snakemake.output,
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
