"""All pruners at all patterns, as pruned and after QLoRA, as SVG."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files, frames
    from sparsesum.pages import plot_pruning

    with files.whole(snakemake.output[0]) as draft:
        plot_pruning.pruning(frames.read(snakemake.input.table), draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
