"""The calibration set of a model: token sequences cut from the train split, as safetensors."""

from sparsesum.job import job


def main(snakemake) -> None:
    import numpy
    import pandas
    from safetensors.numpy import save_file

    from sparsesum import calibration, files

    settings = snakemake.params
    rows = calibration.sequences(
        pandas.read_parquet(snakemake.input.tokens)["input_ids"].tolist(),
        count=settings.sequences,
        length=settings.length,
        seed=settings.seed,
    )
    with files.whole(snakemake.output[0]) as draft:
        save_file({"input_ids": numpy.array(rows, dtype=numpy.int64)}, draft)


if __name__ == "__main__":
    name = f"calibration {snakemake.wildcards.model}"
    with job(name, snakemake.log[0], snakemake.output[0]):
        main(snakemake)
