"""The paper's nine claims as tests on results: CSV for machines, Markdown for people."""

from runner import job

PAPERS_CHEATS = ["copy", "repeat"]


def main(snakemake) -> None:
    import pandas

    from sparsesum.base import files
    from sparsesum.evidence import claims
    from sparsesum.experiment import grid
    from sparsesum.pages import pages

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*cells) for cells in settings.rows]
    scores = {}
    for row, path in zip(rows, given.examples, strict=True):
        examples = pandas.read_csv(path)
        scores[row] = examples[examples["split"] == "test"].reset_index(drop=True)
    frame = claims.table(
        scores=scores,
        costs=dict(zip(rows, map(files.read_json, given.costs), strict=True)),
        generations=dict(zip(settings.bases, map(files.read_jsonl, given.bases), strict=True)),
        cheats={
            model: cheats[(cheats["split"] == "test") & cheats["cheat"].isin(PAPERS_CHEATS)]
            for model, cheats in zip(
                settings.bases, map(pandas.read_csv, given.cheats), strict=True
            )
        },
        sources={
            model: [r["source"] for r in files.read_jsonl(path) if r["split"] == "test"]
            for model, path in zip(settings.bases, given.sources, strict=True)
        },
        aware=settings.aware,
        preset=settings.preset,
        resamples=settings.resamples,
        seed=settings.seed,
    )
    pages.write_table(frame, claims.markdown(frame, settings.note), snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
