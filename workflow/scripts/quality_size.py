"""Test ROUGE-Lsum against size on disk, with the Pareto front, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import frames
    from sparsesum.pages import figures, quality

    table = frames.read(snakemake.input.table)
    preset = table["preset"].iloc[0]
    lines = quality.points(table, "size_mb")
    figures.write(snakemake.output, lines, quality.draw, "size_mb", preset)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
