"""A row's scores: means of its examples with bootstrap intervals; shares of blank and cut off."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.scoring import example_scores
    from sparsesum.scoring.means import summary

    given, settings = snakemake.input, snakemake.params
    scores = example_scores.read(given.examples, given.grounding)
    result = {
        split: summary(rows.to_dict("records"), settings.resamples, settings.seed)
        for split, rows in scores.groupby("split", sort=False)
    }
    files.write_json(snakemake.output[0], result)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
