"""The share of zeros of each checkpoint, layer by layer, as SVG and CSV."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import files, sparsity_layers

    settings = snakemake.params
    counts = [pandas.read_csv(path) for path in snakemake.input.counts]
    lines = sparsity_layers.shares(settings.rows, counts)
    with files.whole(snakemake.output.data) as draft:
        lines.to_csv(draft, index=False)
    with files.whole(snakemake.output.plot) as draft:
        sparsity_layers.draw(lines, settings.preset, draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
