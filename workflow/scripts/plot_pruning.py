"""All pruners at all patterns, as pruned and after QLoRA, as SVG."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import files, frames, pruning_plot

    with files.whole(snakemake.output[0]) as draft:
        pruning_plot.pruning(frames.read(snakemake.input.table), draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
