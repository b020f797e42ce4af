"""Quality against each cost of shrunk, pruned and fine-tuned rows, as SVG."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files, frames
    from sparsesum.pages import plot_compression

    with files.whole(snakemake.output[0]) as draft:
        plot_compression.compression(frames.read(snakemake.input.table), draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
