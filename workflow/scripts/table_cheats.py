"""Which scores copying, repetition and silence raise: CSV, and Markdown for people."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum.pages import pages, table_cheats
    from sparsesum.scoring import example_scores

    given, settings = snakemake.input, snakemake.params
    frame = table_cheats.table(
        own={
            model: example_scores.read(*paths)
            for model, *paths in zip(settings.models, given.examples, given.grounding, strict=True)
        },
        cheats=dict(zip(settings.models, map(pandas.read_csv, given.cheats), strict=True)),
        preset=settings.preset,
        resamples=settings.resamples,
        seed=settings.seed,
    )
    pages.write_table(frame, table_cheats.markdown(frame, settings.note), snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
