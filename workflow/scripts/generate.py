"""A row's summaries of both splits, one JSON record an example, and the time that they took."""

from runner import job

from sparsesum.job import Progress

SPLITS = ["validation", "test"]


def main(snakemake, made) -> None:
    from pathlib import Path

    import pyarrow.parquet

    from sparsesum import costs, device, files, generation
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
    seconds, sizes, counts = 0.0, [], []
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
            seconds += generated.seconds
            sizes.append(generated.batch_size)
            counts.append(len(generated.tokens))
            records = generation.records(
                tokens, generated.tokens, tokenizer, settings["max_new_tokens"], template
            )
            files.write_jsonl(draft / f"{split}.jsonl", records)
        protocol = costs.protocol(where, str(dtype).removeprefix("torch."), engine, max(sizes))
        files.write_json(
            draft / "costs.json",
            {"inference_seconds": round(seconds, 3), "examples": sum(counts), **protocol},
        )


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
