"""A dense OPT checkpoint from its source: float32 weights, configuration and tokenizer.json."""

from runner import job


def main(snakemake) -> None:
    from pathlib import Path

    from sparsesum.base import files, finite, hub
    from sparsesum.models import checkpoints, tokenizer_files

    source = hub.folder(snakemake.params.source, snakemake.input.manifest)
    model = checkpoints.load(source)
    # Once, here: what is made from it is looked at where it is made.
    finite.check(model.state_dict(), source, "fetch or export it again")
    tokenizer = checkpoints.load_tokenizer(source)
    checkpoints.check_vocabulary(tokenizer, model)
    with files.whole(Path(snakemake.output.model).parent) as draft:
        checkpoints.save(model, draft)
        tokenizer.save(str(draft / "tokenizer.json"))
        tokenizer_files.describe(draft)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
