"""The paper's nine claims as tests on results: CSV for machines, Markdown for people."""

from runner import job

PAPERS_CHEATS = ["copy", "repeat"]


def main(snakemake) -> None:
    import pandas

    from sparsesum.base import files
    from sparsesum.evidence import claims, trainings
    from sparsesum.experiment import grid
    from sparsesum.pages import pages
    from sparsesum.scoring import example_scores

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*cells) for cells in settings.rows]
    trained = [row for row in rows if row.finetuning != grid.BASE]
    files_of = {row: [path] for row, path in zip(rows, given.examples, strict=True)}
    for number, path in enumerate(given.further):
        files_of[trained[number % len(trained)]].append(path)
    seeds = {row: [example_scores.of_split(path, "test") for path in files_of[row]] for row in rows}
    scores = {row: example_scores.mean(frames) for row, frames in seeds.items()}
    means = {row: [frame["rougeLsum"].mean() for frame in seeds[row]] for row in trained}
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
        spreads=trainings.spreads(means, settings.training_spread),
        preset=settings.preset,
        resamples=settings.resamples,
        seed=settings.seed,
    )
    pages.write_table(frame, claims.markdown(frame, settings.note), snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
