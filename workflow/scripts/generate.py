"""A row's summaries of both splits, one JSON record an example, and the time that they took."""

from runner import job

from sparsesum.experiment.evaluated import SPLITS
from sparsesum.jobs.job import Progress


def main(snakemake, record) -> None:
    from pathlib import Path

    import pyarrow.parquet

    from sparsesum.base import files
    from sparsesum.corpus.prompt import Prompt
    from sparsesum.generation import generation
    from sparsesum.machine import device
    from sparsesum.models import deployed

    given, settings = snakemake.input, snakemake.params.settings
    template = Prompt(**snakemake.params.prompt)
    torch_device = device.prepare(snakemake.params.device, snakemake.params.threads)
    record.device = device.name(torch_device)
    base, adapter = deployed.folders(given.model, given.get("adapter"))
    engine = settings["engine"] if deployed.in_int8(base) else "dense"
    dtype = device.dtype(settings["dtype"], torch_device)
    model = deployed.load(base, adapter, engine, torch_device, dtype)
    tokenizer = generation.tokenizer(given.tokenizer)
    output = Path(snakemake.output.costs).parent
    notes = record.scratch(output, torch_device.type)
    results = []
    with files.whole(output) as draft:
        draft.mkdir()
        for split in SPLITS:
            tokens = pyarrow.parquet.ParquetFile(given[split]).read().to_pydict()
            (notes / split).mkdir(exist_ok=True)
            generated = generation.generate(
                model,
                tokenizer,
                tokens["prompt_ids"],
                settings["batch_size"],
                settings["max_new_tokens"],
                Progress(split, len(tokens["prompt_ids"]), "bills"),
                template.stop,
                notes / split,
            )
            results.append(generated)
            records = generation.records(
                tokens, generated.tokens, tokenizer, settings["max_new_tokens"], template
            )
            files.write_jsonl(draft / f"{split}.jsonl", records)
        names = dict.fromkeys(name for split in results for name in split.devices)
        costs = {
            "inference_seconds": round(sum(split.seconds for split in results), 3),
            "examples": sum(len(split.tokens) for split in results),
            # Of a job that was resumed elsewhere, all of them.
            "device": " / ".join(names),
            "dtype": str(dtype).removeprefix("torch."),
            "engine": engine,
            "batch_size": max(split.batch_size for split in results),
            "peak_memory_mb": round(max(split.peak_memory_mb for split in results), 1),
        }
        files.write_json(draft / "costs.json", costs)


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
