"""All pruners at all patterns, as pruned and after QLoRA: CSV, and Markdown for people."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import files, pages, pruning_table

    given, settings = snakemake.input, snakemake.params
    stages = pruning_table.STAGES
    frame = pruning_table.table(
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
    with files.whole(snakemake.output.csv) as draft:
        frame.to_csv(draft, index=False)
    pages.write(
        pruning_table.markdown(frame, settings.note),
        snakemake.output.markdown,
        snakemake.output.page,
    )


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
