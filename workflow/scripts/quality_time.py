"""Test ROUGE-Lsum against time, with the Pareto front, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import files, frames, quality

    table = frames.read(snakemake.input.table)
    lines = quality.points(table, "inference_seconds")
    with files.whole(snakemake.output.data) as draft:
        lines.to_csv(draft, index=False)
    with files.whole(snakemake.output.plot) as draft:
        quality.draw(lines, "inference_seconds", table["preset"].iloc[0], draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
