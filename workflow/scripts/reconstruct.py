"""The reconstruction error of each Linear of a pruned checkpoint, and its zeros, as CSV."""

from runner import job

from sparsesum.job import Progress


def main(snakemake, made) -> None:
    from pathlib import Path

    import pandas
    from safetensors.torch import load_file

    from sparsesum import device, files, opt, reconstruction

    given, settings = snakemake.input, snakemake.params
    where = device.prepare(settings.device, settings.threads)
    made.device = device.name(where)
    dense = Path(given.dense).parent
    layers = opt.read_config(dense)["num_hidden_layers"]
    output = Path(snakemake.output[0])
    records = reconstruction.errors(
        dense,
        Path(given.pruned),
        load_file(given.heldout)["input_ids"],
        # Beside the output: it may be too large for the machine's own place for such files.
        output.with_name(f".{output.stem}.inputs"),
        where,
        Progress("reconstruction errors", layers, "layers"),
    )
    with files.whole(output) as draft:
        pandas.DataFrame(records).to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
