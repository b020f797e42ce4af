"""The scores of each of a row's generations: ROUGE and BERTScore, as CSV."""

from runner import job

from sparsesum.experiment.evaluated import SPLITS


def main(snakemake, record) -> None:
    from pathlib import Path

    import pandas

    from sparsesum.base import files
    from sparsesum.machine import device
    from sparsesum.scoring import encoder, similarity

    settings = snakemake.params
    torch_device = device.prepare(settings.device, settings.threads)
    record.device = device.name(torch_device)
    folder = encoder.located(settings.encoder, snakemake.input.manifest, settings.sha256)
    records = [
        {"split": split, **record}
        for split in SPLITS
        for record in files.read_jsonl(Path(snakemake.input[split]))
    ]
    scored = similarity.score(
        records, folder, settings.layer, settings.batch_size, str(torch_device)
    )
    examples = pandas.DataFrame(scored)
    examples.insert(0, "split", [record["split"] for record in records])
    with files.whole(snakemake.output[0]) as draft:
        examples.to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
