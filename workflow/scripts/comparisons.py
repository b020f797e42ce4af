"""Any two rows of the grid, paired by bill: CSV for machines, Markdown for people."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.evidence import comparison
    from sparsesum.experiment import grid
    from sparsesum.pages import comparison_text, pages
    from sparsesum.scoring import example_scores

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*cells) for cells in settings.rows]
    frame = comparison.table(
        scores={
            row: example_scores.read(*paths)
            for row, *paths in zip(rows, given.examples, given.grounding, strict=True)
        },
        metrics=settings.metrics,
        resamples=settings.resamples,
        seed=settings.seed,
        preset=settings.preset,
    )
    text = comparison_text.markdown(frame, settings.note)
    pages.write_table(frame, text, snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
