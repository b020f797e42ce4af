"""A shrunk checkpoint: a dense one of the same class with fewer neurons, layers or tokens."""

from runner import job

from sparsesum.jobs.job import Progress


def main(snakemake, record) -> None:
    from importlib import import_module
    from pathlib import Path

    from safetensors.torch import load_file

    from sparsesum.base import files
    from sparsesum.corpus import prompt
    from sparsesum.experiment import shrinks
    from sparsesum.machine import device
    from sparsesum.models import opt, tokenizer_files
    from sparsesum.shrinking import cut

    given, settings = snakemake.input, snakemake.params
    torch_device = device.prepare(settings.device, settings.threads)
    record.device = device.name(torch_device)
    step = shrinks.named(settings.step)
    source, folder = Path(given.model).parent, Path(snakemake.output.model).parent
    texts = [
        prompt.training_text(each["text"], each["summary"], prompt.Prompt(**settings.prompt))
        for path in given.records
        for each in files.read_jsonl(path)
    ]
    layers = opt.read_config(source)["num_hidden_layers"]
    total, unit = (len(texts), "texts") if texts else (layers, "layers")
    kind = import_module(f"sparsesum.shrinking.kinds.{step.kind}")
    with files.whole(folder) as draft:
        draft.mkdir()
        kind.shrink(
            source,
            draft,
            step.amount,
            cut.Given(
                sequences=load_file(given.calibration[0])["input_ids"]
                if given.calibration
                else None,
                texts=texts or None,
                tokenizer=Path(given.tokenizer),
                device=torch_device,
                report=Progress(step.kind, total, unit),
            ),
            **settings.options,
        )
        written = draft / "tokenizer.json"
        if written.exists():  # the kind's own
            tokenizer_files.describe(draft)
        else:
            tokenizer_files.add(given.tokenizer, draft)


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
