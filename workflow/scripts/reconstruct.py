"""The reconstruction error of each Linear of a pruned checkpoint, and its zeros, as CSV."""

from sparsesum.job import Progress, job


def main(snakemake, log) -> None:
    from pathlib import Path

    import pandas
    from safetensors.torch import load_file

    from sparsesum import checkpoints, device, files, reconstruction

    given, settings = snakemake.input, snakemake.params
    where = device.prepare(settings.device, settings.threads)
    dense = Path(given.dense).parent
    layers = checkpoints.read_config(dense).num_hidden_layers
    output = Path(snakemake.output[0])
    records = reconstruction.errors(
        dense,
        Path(given.pruned),
        load_file(given.heldout)["input_ids"],
        # Beside the output: it may be too large for the machine's own place for such files.
        output.with_name(f".{output.stem}.inputs"),
        where,
        Progress(log, "reconstruction errors", layers, "layers"),
    )
    with files.whole(output) as draft:
        pandas.DataFrame(records).to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    name = f"reconstruct {snakemake.wildcards.model} {snakemake.wildcards.sparsity}"
    with job(name, snakemake.log[0], snakemake.output[0]) as log:
        main(snakemake, log)
