"""A row's perplexities on held-out text and on the reference summaries, with intervals."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum.base import files
    from sparsesum.scoring.perplexity import perplexity

    settings = snakemake.params
    texts = dict(iter(pandas.read_csv(snakemake.input.likelihood).groupby("text")))
    result = {}
    for text, prefix in (("heldout", ""), ("summary", "summary_")):
        found = perplexity(
            texts[text]["nll"], texts[text]["tokens"], settings.resamples, settings.seed
        )
        result |= {f"{prefix}{key}": value for key, value in found.items()}
    files.write_json(snakemake.output[0], result)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
