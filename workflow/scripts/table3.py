"""The results grid: CSV with the paper's columns first, and Markdown as the paper prints it."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import files, pages, tables

    given, settings = snakemake.input, snakemake.params
    trained = map(files.read_json, given.training)
    frame = tables.grid(
        rows=settings.rows,
        scores=[files.read_json(path) for path in given.scores],
        costs=[files.read_json(path) for path in given.costs],
        training=[None if row[1] == "base" else next(trained) for row in settings.rows],
        preset=settings.preset,
        corpus=settings.corpus,
    )
    with files.whole(snakemake.output.csv) as draft:
        frame.to_csv(draft, index=False)
    pages.write(
        tables.markdown(frame, settings.note), snakemake.output.markdown, snakemake.output.page
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
