"""The loss curves of the trained rows, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum.pages import figures, training_curves

    settings = snakemake.params
    curves = [pandas.read_csv(path) for path in snakemake.input.curves]
    lines = training_curves.joined(settings.rows, curves)
    figures.write(snakemake.output, lines, training_curves.draw, settings.preset)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
