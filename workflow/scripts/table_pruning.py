"""All pruners at all patterns, as pruned and after QLoRA: CSV, and Markdown for people."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum.base import files
    from sparsesum.pages import pages, table_pruning

    given, settings = snakemake.input, snakemake.params
    stages = table_pruning.STAGES
    frame = table_pruning.table(
        rows=settings.rows,
        reconstruction=[pandas.read_csv(path) for path in given.reconstruction],
        perplexity={
            stage: [files.read_json(path) for path in given[f"perplexity_{stage}"]]
            for stage in stages
        },
        scores={
            stage: [files.read_json(path) for path in given[f"scores_{stage}"]] for stage in stages
        },
        adapter_base=settings.adapter_base,
        corpus=settings.corpus,
        preset=settings.preset,
    )
    pages.write_table(frame, table_pruning.markdown(frame, settings.note), snakemake.output)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
