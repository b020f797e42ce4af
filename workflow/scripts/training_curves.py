"""The loss curves of the trained rows, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import files, training_curves

    settings = snakemake.params
    curves = [pandas.read_csv(path) for path in snakemake.input.curves]
    lines = training_curves.joined(settings.rows, curves)
    with files.whole(snakemake.output.data) as draft:
        lines.to_csv(draft, index=False)
    with files.whole(snakemake.output.plot) as draft:
        training_curves.draw(lines, settings.preset, draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
