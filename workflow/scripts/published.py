"""Our ROUGE beside the published one, row by row, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import files, frames, grid, published, published_plot
    from sparsesum.errors import InputError

    given, settings = snakemake.input, snakemake.params
    told = published.read(given.published) if given.published else []
    rows = [grid.Row(*row) for row in settings.rows]
    lines = published.counterparts(told, rows, settings.stands_for) if told else {}
    if not lines:
        raise InputError(
            f"preset {settings.preset} has no row that was published, and no model that stands for "
            "a published one: there is nothing to compare; set `published` and `stands_for` of a "
            "model, or add --configfile config/paper.yaml"
        )
    lines = published_plot.beside(frames.read(given.table), lines)
    with files.whole(snakemake.output.data) as draft:
        lines.to_csv(draft, index=False)
    with files.whole(snakemake.output.plot) as draft:
        published_plot.draw(lines, settings.preset, draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
