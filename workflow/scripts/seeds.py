"""Each fine-tuned row trained with each seed: CSV for machines, Markdown for people."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.evidence import seeds
    from sparsesum.experiment import grid
    from sparsesum.pages import pages
    from sparsesum.scoring import example_scores

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*cells) for cells in settings.rows]
    paths = zip(given.examples, given.grounding, strict=True)
    scores = {
        seed: {row: example_scores.read(*next(paths)) for row in rows} for seed in settings.seeds
    }
    frame = seeds.table(scores, settings.metrics, settings.preset)
    text = seeds.markdown(frame, settings.seeds, settings.metrics, settings.note)
    pages.write_table(frame, text, snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
