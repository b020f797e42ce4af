"""The first records of a corpus's split, as JSON Lines: id, title, text, summary."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files, hub
    from sparsesum.corpus import corpus

    wanted = snakemake.params.split
    source = hub.folder(snakemake.params.source, snakemake.input.manifest)
    records = corpus.records(source, wanted["from"], wanted["records"], **snakemake.params.options)
    files.write_jsonl(snakemake.output[0], records)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
