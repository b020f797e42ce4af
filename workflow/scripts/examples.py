"""The scores of each of a row's generations: ROUGE and BERTScore, as CSV."""

from runner import job

SPLITS = ["validation", "test"]


def main(snakemake, made) -> None:
    from pathlib import Path

    import pandas

    from sparsesum import device, encoder, files, scores

    settings = snakemake.params
    where = device.prepare(settings.device, settings.threads)
    made.device = device.name(where)
    folder = encoder.located(settings.encoder, snakemake.input.manifest, settings.sha256)
    records = [
        {"split": split, **record}
        for split in SPLITS
        for record in files.read_jsonl(Path(snakemake.input[split]))
    ]
    scored = scores.score(records, folder, settings.layer, settings.batch_size, str(where))
    examples = pandas.DataFrame(scored)
    examples.insert(0, "split", [record["split"] for record in records])
    with files.whole(snakemake.output[0]) as draft:
        examples.to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
