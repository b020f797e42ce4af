"""Quality against size, and the loss curves of the trained rows, as SVG."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import files, plots

    table = pandas.read_csv(snakemake.input.table)
    with files.whole(snakemake.output.quality_size) as draft:
        plots.quality_size(table, draft)
    curves = {path: pandas.read_csv(path) for path in snakemake.input.curves}
    with files.whole(snakemake.output.training_curves) as draft:
        plots.training_curves(curves, table["preset"].iloc[0], draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
