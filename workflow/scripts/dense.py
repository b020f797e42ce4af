"""A dense OPT checkpoint from its source: float32 weights, configuration and tokenizer.json."""

from runner import job


def main(snakemake) -> None:
    from pathlib import Path

    from sparsesum import checkpoints, files, hub, tokenizer_files

    source = hub.folder(snakemake.params.source, snakemake.input.manifest)
    model = checkpoints.load(source)
    tokenizer = checkpoints.load_tokenizer(source)
    with files.whole(Path(snakemake.output.model).parent) as draft:
        checkpoints.save(model, draft)
        tokenizer.save(str(draft / "tokenizer.json"))
        tokenizer_files.describe(draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
