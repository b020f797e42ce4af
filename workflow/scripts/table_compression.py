"""Shrunk, pruned and fine-tuned rows, and what each costs: CSV, and Markdown for people."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.pages import pages, table_compression

    given, settings = snakemake.input, snakemake.params
    frame = table_compression.table(
        rows=settings.rows,
        scores=[files.read_json(path) for path in given.scores],
        costs=[files.read_json(path) for path in given.costs],
        corpus=settings.corpus,
        preset=settings.preset,
    )
    text = table_compression.markdown(frame, settings.note, settings.training_spread)
    pages.write_table(frame, text, snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
