"""What a row costs: generation time, latency, memory, parameters, bytes; and the protocol."""

from runner import job

from sparsesum.job import Progress, log


def main(snakemake, made) -> None:
    from pathlib import Path
    from statistics import median_high

    import pandas

    from sparsesum import costs, device, files, generation, sizes

    settings, measure = snakemake.params.generate, snakemake.params.measure
    where = device.prepare(snakemake.params.device, snakemake.params.threads)
    made.device = device.name(where)
    given = snakemake.input
    base = Path(given.model[0]).parent
    adapter = given.get("adapter")
    folder = Path(adapter[0]).parent if adapter else None
    # Rows without an int8 base have one engine.
    engine = settings["engine"] if adapter else "dense"
    prompts = [
        list(map(int, ids))
        for split in (given.validation, given.test)
        for ids in pandas.read_parquet(split)["prompt_ids"]
    ]
    tokenizer = generation.tokenizer(given.tokenizer)
    dtype = device.dtype(settings["dtype"], where)
    model = generation.load(base, folder, engine, where, dtype)
    progress = Progress("generation time", len(prompts), "bills")
    seconds = costs.inference_seconds(
        model,
        tokenizer,
        prompts,
        settings["batch_size"],
        settings["max_new_tokens"],
        progress,
        snakemake.params.stop,
    )
    memory = costs.protocol(
        where, str(dtype).removeprefix("torch."), engine, settings["batch_size"]
    )
    latency = {}
    for kind in [engine, *(other for other in generation.ENGINES if adapter and other != engine)]:
        if kind != engine:
            model = generation.load(base, folder, kind, where, dtype)
        log.info("milliseconds a token, %s", kind)
        latency[kind] = costs.milliseconds_per_token(
            model, prompts[0], measure["tokens"], measure["repeats"]
        )
    weights = [given.model[0], *(adapter[:1] if adapter else [])]
    files.write_json(
        snakemake.output[0],
        {
            "inference_seconds": round(seconds, 3),
            "examples": len(prompts),
            "ms_per_token": {kind: round(median_high(runs), 4) for kind, runs in latency.items()},
            "ms_per_token_runs": {
                kind: [round(run, 4) for run in runs] for kind, runs in latency.items()
            },
            "parameters": sizes.parameters(weights),
            "nonzero_parameters": sizes.nonzero_parameters(weights),
            "size_mb": round(sizes.size_mb([*given.model, *(adapter or []), given.tokenizer]), 4),
            **memory,
        },
    )


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
