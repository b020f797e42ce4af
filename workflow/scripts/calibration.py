"""The calibration set of a model: sequences of tokens from the train split or texts of its own."""

from runner import job


def main(snakemake) -> None:
    import numpy
    from safetensors.numpy import save_file

    from sparsesum.base import files
    from sparsesum.corpus import calibration

    given, settings = snakemake.input, snakemake.params
    asked = {"count": settings.sequences, "length": settings.length, "seed": settings.seed}
    if settings.text is None:
        import pandas

        documents = pandas.read_parquet(given.train)["input_ids"].tolist()
        rows = calibration.sequences(documents, **asked)
    else:
        from tokenizers import Tokenizer

        from sparsesum.base import hub

        tokenizer = Tokenizer.from_file(given.tokenizer)
        texts = calibration.read_texts(
            hub.folder(settings.source, given.get("manifest", [])) / settings.text["file"]
        )
        rows = calibration.windows(texts, lambda text: tokenizer.encode(text).ids, **asked)
    with files.whole(snakemake.output[0]) as draft:
        save_file({"input_ids": numpy.array(rows, dtype=numpy.int64)}, draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
