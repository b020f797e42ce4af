"""The results grid: CSV with the paper's columns first, and Markdown as the paper prints it."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.pages import pages, table3

    given, settings = snakemake.input, snakemake.params
    trained = map(files.read_json, given.training)
    frame = table3.grid(
        rows=settings.rows,
        scores=[files.read_json(path) for path in given.scores],
        costs=[files.read_json(path) for path in given.costs],
        training=[None if row[1] == "base" else next(trained) for row in settings.rows],
        preset=settings.preset,
        corpus=settings.corpus,
    )
    pages.write_table(frame, table3.markdown(frame, settings.note), snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
