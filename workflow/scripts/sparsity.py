"""Zeros in the weights' file of a row, tensor by tensor."""

import csv

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.pruning import sparsity

    lines = list(sparsity.count(snakemake.input.model))
    with (
        files.whole(snakemake.output[0]) as draft,
        draft.open("w", encoding="utf-8", newline="") as file,
    ):
        writer = csv.DictWriter(file, list(lines[0]), lineterminator="\n")
        writer.writeheader()
        writer.writerows(lines)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
