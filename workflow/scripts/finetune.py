"""A fine-tuned model, its loss curve and its training's costs."""

from runner import job


def main(snakemake, record) -> None:
    from importlib import import_module
    from pathlib import Path

    from sparsesum.base import files
    from sparsesum.finetuning.settings import Notes, Settings, Source
    from sparsesum.jobs import lean
    from sparsesum.machine import device

    given, params = snakemake.input, snakemake.params
    # The Trainer looks for it, for data that it does not get here.
    with lean.without("datasets"):
        from sparsesum.finetuning import finetune

        method = import_module(f"sparsesum.finetuning.methods.{params.method}")
    torch_device = device.prepare(params.device, params.threads, params.deterministic)
    record.device = device.name(torch_device)
    output = Path(snakemake.output.costs).parent
    # No param: how often a training is saved decides no byte of the result.
    notes = Notes(record.scratch(output, torch_device.type), snakemake.config["save_every"])
    with files.whole(output) as draft:
        draft.mkdir()
        costs = finetune.finetune(
            method,
            Source(Path(given.model[0]).parent, Path(given.tokens), Path(given.tokenizer)),
            torch_device,
            Settings.of(params.settings),
            draft,
            notes,
            # As seen from the project's folder, where peft looks: no path of this machine.
            output,
        )
        files.write_json(draft / "costs.json", costs)


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
