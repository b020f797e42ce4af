"""Which scores copying, repetition and silence raise: CSV, and Markdown for people."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import cheats_table, examples, files, pages

    given, settings = snakemake.input, snakemake.params
    frame = cheats_table.table(
        own={
            model: examples.read(*paths)
            for model, *paths in zip(settings.models, given.examples, given.grounding, strict=True)
        },
        cheats=dict(zip(settings.models, map(pandas.read_csv, given.cheats), strict=True)),
        preset=settings.preset,
        resamples=settings.resamples,
        seed=settings.seed,
    )
    with files.whole(snakemake.output.csv) as draft:
        frame.to_csv(draft, index=False)
    pages.write(
        cheats_table.markdown(frame, settings.note),
        snakemake.output.markdown,
        snakemake.output.page,
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
