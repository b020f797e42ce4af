"""Each fine-tuned row trained with each seed: CSV for machines, Markdown for people."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import examples, files, grid, pages, seeds

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*cells) for cells in settings.rows]
    paths = zip(given.examples, given.grounding, strict=True)
    scores = {seed: {row: examples.read(*next(paths)) for row in rows} for seed in settings.seeds}
    frame = seeds.table(scores, settings.metrics, settings.preset)
    with files.whole(snakemake.output.csv) as draft:
        frame.to_csv(draft, index=False)
    text = seeds.markdown(frame, settings.seeds, settings.metrics, settings.note)
    pages.write(text, snakemake.output.markdown, snakemake.output.page)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
