"""What of each generation is copied, repeated, or not in its bill: figures, and where it stands."""

from runner import job

from sparsesum.experiment.evaluated import SPLITS


def main(snakemake) -> None:
    import pandas

    from sparsesum.base import files
    from sparsesum.scoring import grounding

    given = snakemake.input
    figures, marks = [], []
    for split in SPLITS:
        bills = files.read_jsonl(given[f"{split}_bills"])
        found = grounding.ground(files.read_jsonl(given[split]), bills)
        for part, lines in zip((figures, marks), found, strict=True):
            part += [{"split": split, **line} for line in lines]
    with files.whole(snakemake.output.figures) as draft:
        pandas.DataFrame(figures).to_csv(draft, index=False, float_format="%.6f")
    files.write_jsonl(snakemake.output.marks, marks)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
