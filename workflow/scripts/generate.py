"""A row's summaries of a split, one JSON record an example."""

from runner import job

from sparsesum.job import Progress


def main(snakemake, made) -> None:
    from pathlib import Path

    import pandas

    from sparsesum import device, files, generation
    from sparsesum.prompt import Prompt

    settings, template = snakemake.params.settings, Prompt(**snakemake.params.prompt)
    where = device.prepare(snakemake.params.device, snakemake.params.threads)
    made.device = device.name(where)
    adapter = snakemake.input.get("adapter")
    model = generation.load(
        Path(snakemake.input.model[0]).parent,
        Path(adapter[0]).parent if adapter else None,
        settings["engine"],
        where,
        device.dtype(settings["dtype"], where),
    )
    tokenizer = generation.tokenizer(snakemake.input.tokenizer)
    tokens = pandas.read_parquet(snakemake.input.tokens).to_dict("list")
    prompts = [list(map(int, ids)) for ids in tokens["prompt_ids"]]
    output = snakemake.output[0]
    notes = made.scratch(output, where.type)
    generated = generation.generate(
        model,
        tokenizer,
        prompts,
        settings["batch_size"],
        settings["max_new_tokens"],
        Progress(snakemake.wildcards.split, len(prompts), "bills"),
        template.stop,
        notes,
    )
    files.write_jsonl(
        output,
        generation.records(tokens, generated, tokenizer, settings["max_new_tokens"], template),
    )


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
