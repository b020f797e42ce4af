"""The grid as a heat map, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import frames
    from sparsesum.pages import figures, heat_map

    table = frames.read(snakemake.input.table)
    lines = heat_map.cells(table)
    figures.write(snakemake.output, lines, heat_map.draw, table["preset"].iloc[0])


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
