"""The share of zeros of each checkpoint, layer by layer, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum.pages import figures, sparsity_layers

    settings = snakemake.params
    counts = [pandas.read_csv(path) for path in snakemake.input.counts]
    lines = sparsity_layers.shares(settings.rows, counts)
    figures.write(snakemake.output, lines, sparsity_layers.draw, settings.preset)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
