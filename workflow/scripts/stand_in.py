"""A stand-in for a model or encoder on the Hub: its true shape, random weights, a tokenizer."""

from runner import job


def main(snakemake) -> None:
    from pathlib import Path

    from sparsesum.base import files
    from sparsesum.models import stand_ins

    given = snakemake.input
    with files.whole(Path(snakemake.output.model).parent) as draft:
        if given.shape:
            stand_ins.opt(files.read_json(given.shape), Path(given.tokenizer), draft)
        else:
            stand_ins.roberta(Path(given.tokenizer), draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
