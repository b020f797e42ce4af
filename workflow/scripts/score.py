"""A row's scores: means of its examples with bootstrap intervals; shares of blank and cut off."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import files
    from sparsesum.summary import summary

    given, settings = snakemake.input, snakemake.params
    scores, grounding = pandas.read_csv(given.examples), pandas.read_csv(given.grounding)
    examples = scores.merge(grounding, on=["split", "id"], validate="one_to_one")
    result = {
        split: summary(rows.to_dict("records"), settings.resamples, settings.seed)
        for split, rows in examples.groupby("split", sort=False)
    }
    files.write_json(snakemake.output[0], result)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
