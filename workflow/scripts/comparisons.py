"""Any two rows of the grid, paired by bill: CSV for machines, Markdown for people."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import comparison, comparison_text, examples, files, grid, pages

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*cells) for cells in settings.rows]
    frame = comparison.table(
        scores={
            row: examples.read(*paths)
            for row, *paths in zip(rows, given.examples, given.grounding, strict=True)
        },
        metrics=settings.metrics,
        resamples=settings.resamples,
        seed=settings.seed,
        preset=settings.preset,
    )
    with files.whole(snakemake.output.csv) as draft:
        frame.to_csv(draft, index=False)
    text = comparison_text.markdown(frame, settings.note)
    pages.write(text, snakemake.output.markdown, snakemake.output.page)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
