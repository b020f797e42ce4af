"""The results grid: CSV with the paper's columns first, and Markdown as the paper prints it."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.experiment.grid import BASE
    from sparsesum.pages import pages, table3

    given, settings = snakemake.input, snakemake.params
    trained = map(files.read_json, given.training)
    scores = [[files.read_json(path)] for path in given.scores]
    of_trained = [of for row, of in zip(settings.rows, scores, strict=True) if row[1] != BASE]
    for number, path in enumerate(given.further):
        of_trained[number % len(of_trained)].append(files.read_json(path))
    frame = table3.grid(
        rows=settings.rows,
        scores=scores,
        costs=[files.read_json(path) for path in given.costs],
        training=[None if row[1] == BASE else next(trained) for row in settings.rows],
        preset=settings.preset,
        corpus=settings.corpus,
    )
    text = table3.markdown(frame, settings.note, settings.training_spread)
    pages.write_table(frame, text, snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
