"""The log-likelihood that a row gives to held-out text and to the reference summaries, as CSV."""

from runner import job

from sparsesum.jobs.job import Progress


def main(snakemake, record) -> None:
    import pandas
    from safetensors.torch import load_file

    from sparsesum.base import files
    from sparsesum.machine import device
    from sparsesum.models import deployed
    from sparsesum.scoring import likelihood

    given, settings = snakemake.input, snakemake.params
    torch_device = device.prepare(settings.device, settings.threads)
    record.device = device.name(torch_device)
    base, adapter = deployed.folders(given.model, given.get("adapter"))
    dtype = device.dtype(settings.dtype, torch_device)
    model = deployed.load(base, adapter, "dense", torch_device, dtype)
    heldout = load_file(given.heldout)["input_ids"].tolist()
    bills = pandas.read_parquet(given.tokens)
    texts = {
        # The first token of held-out text has nothing before it.
        "heldout": (range(len(heldout)), heldout, [1] * len(heldout)),
        "summary": (bills["id"], bills["input_ids"].tolist(), bills["summary_start"].tolist()),
    }
    records = []
    for text, (ids, sequences, starts) in texts.items():
        progress = Progress(f"likelihood of {text}", len(sequences), "sequences")
        sums = likelihood.negative_log(model, sequences, starts, progress)
        records += [
            {"text": text, "id": name, "tokens": len(sequence) - start, "nll": nll}
            for name, sequence, start, nll in zip(ids, sequences, starts, sums, strict=True)
        ]
    with files.whole(snakemake.output[0]) as draft:
        pandas.DataFrame(records).to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
