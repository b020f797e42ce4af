"""A pruned checkpoint: the decoder's Linear weights under a sparsity pattern, layer by layer."""

from sparsesum.job import Progress, job


def main(snakemake, log) -> None:
    from importlib import import_module
    from pathlib import Path

    from safetensors.torch import load_file

    from sparsesum import checkpoints, device, files, layerwise, patterns, sparsity

    settings = snakemake.params
    where = device.prepare(settings.device, settings.threads)
    pattern = patterns.named(settings.pattern)
    model = checkpoints.load(Path(snakemake.input.model).parent).to(where)
    sequences = None
    if snakemake.input.calibration:
        sequences = load_file(snakemake.input.calibration)["input_ids"]
    progress = Progress(log, settings.pruner, model.config.num_hidden_layers, "layers")
    layerwise.prune(
        model,
        sequences,
        import_module(f"sparsesum.pruners.{settings.pruner}"),
        pattern,
        settings.options,
        progress,
    )
    folder = Path(snakemake.output.model).parent
    with files.whole(folder) as draft:
        checkpoints.save(model.cpu(), draft)
        # Saving the unpruned model is an old mistake in this trade: look at what was written.
        sparsity.check(checkpoints.state(draft), pattern)


if __name__ == "__main__":
    name = f"prune {snakemake.wildcards.model} {snakemake.wildcards.sparsity}"
    with job(name, snakemake.log[0], snakemake.output.model) as log:
        main(snakemake, log)
