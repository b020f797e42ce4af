"""A row's summaries of both splits, one JSON record an example, and the time that they took."""

from runner import job

from sparsesum.job import Progress

SPLITS = ["validation", "test"]


def main(snakemake, made) -> None:
    from pathlib import Path

    import pyarrow.parquet

    from sparsesum import device, files, generation
    from sparsesum.prompt import Prompt

    given, settings = snakemake.input, snakemake.params.settings
    template = Prompt(**snakemake.params.prompt)
    where = device.prepare(snakemake.params.device, snakemake.params.threads)
    made.device = device.name(where)
    adapter = given.get("adapter")
    engine = settings["engine"] if adapter else "dense"  # what has no int8 base has one engine
    dtype = device.dtype(settings["dtype"], where)
    model = generation.load(
        Path(given.model[0]).parent,
        Path(adapter[0]).parent if adapter else None,
        engine,
        where,
        dtype,
    )
    tokenizer = generation.tokenizer(given.tokenizer)
    output = Path(snakemake.output.costs).parent
    notes = made.scratch(output, where.type)
    made_of = []
    with files.whole(output) as draft:
        draft.mkdir()
        for split in SPLITS:
            tokens = pyarrow.parquet.read_table(given[split]).to_pydict()
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
            made_of.append(generated)
            records = generation.records(
                tokens, generated.tokens, tokenizer, settings["max_new_tokens"], template
            )
            files.write_jsonl(draft / f"{split}.jsonl", records)
        names = dict.fromkeys(name for split in made_of for name in split.devices)
        costs = {
            "inference_seconds": round(sum(split.seconds for split in made_of), 3),
            "examples": sum(len(split.tokens) for split in made_of),
            # Of a job that went on elsewhere, all of them.
            "device": " / ".join(names),
            "dtype": str(dtype).removeprefix("torch."),
            "engine": engine,
            "batch_size": max(split.batch_size for split in made_of),
            "peak_memory_mb": round(max(split.peak_memory_mb for split in made_of), 1),
        }
        files.write_json(draft / "costs.json", costs)


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
