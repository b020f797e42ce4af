"""A row's scores: means of its examples with bootstrap intervals; shares of blank and cut off."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import examples, files
    from sparsesum.summary import summary

    given, settings = snakemake.input, snakemake.params
    scores = examples.read(given.examples, given.grounding)
    result = {
        split: summary(rows.to_dict("records"), settings.resamples, settings.seed)
        for split, rows in scores.groupby("split", sort=False)
    }
    files.write_json(snakemake.output[0], result)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
