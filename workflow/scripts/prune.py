"""A pruned checkpoint: the decoder's Linear weights under a sparsity pattern, layer by layer."""

from sparsesum.job import Progress, job


def main(snakemake, log) -> None:
    from importlib import import_module
    from pathlib import Path

    import torch
    from safetensors.torch import load_file

    from sparsesum import checkpoints, device, files, layerwise, patterns, sparsity, tensorfile

    given, settings = snakemake.input, snakemake.params
    where = device.prepare(settings.device, settings.threads)
    pattern = patterns.named(settings.pattern)
    source, folder = Path(given.model).parent, Path(snakemake.output.model).parent
    sequences = load_file(given.calibration[0])["input_ids"] if given.calibration else None
    stat = Path(given.model).stat()
    # What determines the bytes: a draft that a killed job left is gone on from if all is the same.
    identity = {
        "model": [str(given.model), stat.st_size, stat.st_mtime_ns],
        "files": {file: files.sha256(file) for file in [*given.calibration, *given.code]},
        "settings": [settings.pruner, settings.pattern, settings.options, settings.exact],
        "machine": [device.name(where), torch.__version__],
    }
    progress = Progress(
        log, settings.pruner, checkpoints.read_config(source).num_hidden_layers, "layers"
    )
    with files.resumable(folder, identity) as draft:
        seconds = layerwise.prune(
            source,
            draft,
            sequences,
            import_module(f"sparsesum.pruners.{settings.pruner}"),
            pattern,
            settings.options,
            settings.exact,
            where,
            progress,
        )
        log.info("seconds: %s", ", ".join(f"{key} {spent:.1f}" for key, spent in seconds.items()))
        # Saving the unpruned model is an old mistake in this trade: look at what was written.
        written = tensorfile.TensorFile(draft / "model.safetensors")
        sparsity.check(written, pattern)
        sparsity.check_untouched(tensorfile.TensorFile(given.model), written)


if __name__ == "__main__":
    name = f"prune {snakemake.wildcards.model} {snakemake.wildcards.sparsity}"
    with job(name, snakemake.log[0], snakemake.output.model) as log:
        main(snakemake, log)
