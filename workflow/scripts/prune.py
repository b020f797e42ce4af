"""A pruned checkpoint: the decoder's Linear weights under a sparsity pattern, layer by layer."""

from runner import job

from sparsesum.job import Progress, log


def main(snakemake, made) -> None:
    from importlib import import_module
    from pathlib import Path

    from safetensors.torch import load_file

    from sparsesum import (
        device,
        files,
        layerwise,
        opt,
        patterns,
        sparsity,
        tensorfile,
        tokenizer_files,
    )

    given, settings = snakemake.input, snakemake.params
    where = device.prepare(settings.device, settings.threads)
    made.device = device.name(where)
    pattern = patterns.named(settings.pattern)
    source, folder = Path(given.model).parent, Path(snakemake.output.model).parent
    sequences = load_file(given.calibration[0])["input_ids"] if given.calibration else None
    progress = Progress(settings.pruner, opt.read_config(source)["num_hidden_layers"], "layers")
    scratch = made.scratch(folder, made.device)
    seconds = layerwise.prune(
        source,
        scratch,
        sequences,
        import_module(f"sparsesum.pruners.{settings.pruner}"),
        pattern,
        settings.options,
        settings.exact,
        where,
        progress,
        # No param: it decides no byte of the result.
        snakemake.config["save_every"],
    )
    log.info("seconds: %s", ", ".join(f"{key} {spent:.1f}" for key, spent in seconds.items()))
    # Saving the unpruned model is an old mistake in this trade: look at what was written.
    written = tensorfile.TensorFile(scratch / "model.safetensors")
    sparsity.check(written, pattern)
    sparsity.check_untouched(tensorfile.TensorFile(given.model), written)
    with files.whole(folder) as draft:
        draft.mkdir()
        for name in ("config.json", "model.safetensors"):
            (scratch / name).replace(draft / name)
        tokenizer_files.add(given.tokenizer, draft)


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
