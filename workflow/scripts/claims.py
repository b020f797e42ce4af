"""The paper's nine claims as tests on results: CSV for machines, Markdown for people."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import claims_table, files, grid

    given, settings = snakemake.input, snakemake.params
    rows = [grid.Row(*cells) for cells in settings.rows]
    scores = {}
    for row, path in zip(rows, given.examples, strict=True):
        examples = pandas.read_csv(path)
        scores[row] = examples[examples["split"] == "test"].reset_index(drop=True)
    frame = claims_table.table(
        scores=scores,
        costs=dict(zip(rows, map(files.read_json, given.costs), strict=True)),
        generations=dict(zip(settings.bases, map(files.read_jsonl, given.bases), strict=True)),
        cheats=dict(zip(settings.bases, map(pandas.read_csv, given.cheats), strict=True)),
        sources={
            model: [record["source"] for record in files.read_jsonl(path)]
            for model, path in zip(settings.bases, given.sources, strict=True)
        },
        aware=settings.aware,
        preset=settings.preset,
        resamples=settings.resamples,
        seed=settings.seed,
    )
    with files.whole(snakemake.output.csv) as draft:
        frame.to_csv(draft, index=False)
    with files.whole(snakemake.output.markdown) as draft:
        draft.write_text(claims_table.markdown(frame, settings.note))


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
