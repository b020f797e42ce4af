"""A pruned checkpoint: the decoder's Linear weights under a sparsity pattern, layer by layer."""

from runner import job

from sparsesum.jobs.job import Progress, log


def main(snakemake, record) -> None:
    from importlib import import_module
    from pathlib import Path

    from safetensors.torch import load_file

    from sparsesum.base import files
    from sparsesum.base.errors import InputError
    from sparsesum.experiment import patterns
    from sparsesum.machine import device
    from sparsesum.models import opt, tensorfile, tokenizer_files
    from sparsesum.pruning import checks, layerwise

    given, settings = snakemake.input, snakemake.params
    torch_device = device.prepare(settings.device, settings.threads)
    record.device = device.name(torch_device)
    pattern = patterns.named(settings.pattern)
    source, folder = Path(given.model).parent, Path(snakemake.output.model).parent
    sequences = load_file(given.calibration[0])["input_ids"] if given.calibration else None
    progress = Progress(settings.pruner, opt.read_config(source)["num_hidden_layers"], "layers")
    scratch = record.scratch(folder, record.device)
    seconds = layerwise.prune(
        source,
        scratch,
        sequences,
        import_module(f"sparsesum.pruning.pruners.{settings.pruner}"),
        pattern,
        settings.options,
        settings.exact,
        torch_device,
        progress,
        # No param: it decides no byte of the result.
        snakemake.config["save_every"],
    )
    log.info("seconds: %s", ", ".join(f"{key} {spent:.1f}" for key, spent in seconds.items()))
    # Saving the unpruned model is an old mistake in this trade: look at what was written.
    written = tensorfile.TensorFile(scratch / "model.safetensors")
    try:
        checks.check(written, pattern)
    except ValueError as error:
        raise InputError(f"pruner {settings.pruner}: {error}") from None
    log.info("checked: all Linears of the decoder's layers have the zeros of %s", settings.pattern)
    checks.check_untouched(tensorfile.TensorFile(given.model), written)
    with files.whole(folder) as draft:
        draft.mkdir()
        for name in ("config.json", "model.safetensors"):
            (scratch / name).replace(draft / name)
        tokenizer_files.add(given.tokenizer, draft)


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
