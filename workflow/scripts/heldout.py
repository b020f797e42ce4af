"""The held-out text of a model: sequences of tokens from the test split's bills, as they are."""

from runner import job


def main(snakemake) -> None:
    import numpy
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer

    from sparsesum.base import files
    from sparsesum.corpus import heldout

    given, settings = snakemake.input, snakemake.params
    rows = heldout.sequences(
        Tokenizer.from_file(given.tokenizer),
        [record["text"] for record in files.read_jsonl(given.records)],
        count=settings.sequences,
        length=settings.length,
        seed=settings.seed,
        positions=files.read_json(given.config)["max_position_embeddings"],
    )
    with files.whole(snakemake.output[0]) as draft:
        save_file({"input_ids": numpy.array(rows, dtype=numpy.int64)}, draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
