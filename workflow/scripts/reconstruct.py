"""The reconstruction error of each Linear of a pruned checkpoint, and its zeros, as CSV."""

from runner import job

from sparsesum.jobs.job import Progress


def main(snakemake, record) -> None:
    from pathlib import Path

    import pandas
    from safetensors.torch import load_file

    from sparsesum.base import files
    from sparsesum.machine import device
    from sparsesum.models import opt
    from sparsesum.pruning import reconstruction

    given, settings = snakemake.input, snakemake.params
    torch_device = device.prepare(settings.device, settings.threads)
    record.device = device.name(torch_device)
    dense = Path(given.dense).parent
    layers = opt.read_config(dense)["num_hidden_layers"]
    output = Path(snakemake.output[0])
    records = reconstruction.errors(
        dense,
        Path(given.pruned),
        load_file(given.heldout)["input_ids"],
        # Beside the output: it may be too large for the machine's own place for such files.
        output.with_name(f".{output.stem}.inputs"),
        torch_device,
        Progress("reconstruction errors", layers, "layers"),
    )
    with files.whole(output) as draft:
        pandas.DataFrame(records).to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
