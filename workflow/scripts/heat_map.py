"""The grid as a heat map, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import files, frames, heat_map

    table = frames.read(snakemake.input.table)
    lines = heat_map.cells(table)
    with files.whole(snakemake.output.data) as draft:
        lines.to_csv(draft, index=False)
    with files.whole(snakemake.output.plot) as draft:
        heat_map.draw(lines, table["preset"].iloc[0], draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
