"""The page to read all rows' outputs on, side by side: one HTML file."""

from runner import job

from sparsesum.experiment.evaluated import SPLITS


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.experiment import grid
    from sparsesum.pages import browse

    given, settings = snakemake.input, snakemake.params
    page = browse.page(
        rows=[grid.Row(*cells) for cells in settings.rows],
        bills={
            split: files.read_jsonl(path) for split, path in zip(SPLITS, given.bills, strict=True)
        },
        generations={split: [files.read_jsonl(path) for path in given[split]] for split in SPLITS},
        examples=[files.read_csv(path) for path in given.examples],
        grounding=[files.read_csv(path) for path in given.grounding],
        marks=[files.read_jsonl(path) for path in given.marks],
        preset=settings.preset,
        note=settings.note,
    )
    with files.whole(snakemake.output.page) as draft:
        draft.write_text(page, "utf-8")


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
