"""Our ROUGE beside the published one, row by row, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import frames
    from sparsesum.base.errors import InputError
    from sparsesum.experiment import grid, published_table
    from sparsesum.pages import figures, published

    given, settings = snakemake.input, snakemake.params
    table = published_table.read(given.published) if given.published else []
    rows = [grid.Row(*row) for row in settings.rows]
    lines = published_table.counterparts(table, rows, settings.stands_for) if table else {}
    if not lines:
        raise InputError(
            f"preset {settings.preset} has no row that was published, and no model that stands for "
            "a published one: there is nothing to compare; set `published` and `stands_for` of a "
            "model, or add --configfile config/paper.yaml"
        )
    lines = published.beside(frames.read(given.table), lines)
    figures.write(snakemake.output, lines, published.draw, settings.preset)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
