"""What a row costs: generation time, latency, memory, parameters, bytes; and the protocol."""

from runner import job

from sparsesum.jobs.job import log


def main(snakemake, record) -> None:
    from statistics import median_high

    import pyarrow.parquet

    from sparsesum.base import files
    from sparsesum.generation import costs
    from sparsesum.machine import device
    from sparsesum.models import deployed, quantisation, sizes

    settings, measure = snakemake.params.generate, snakemake.params.measure
    torch_device = device.prepare(snakemake.params.device, snakemake.params.threads)
    record.device = device.name(torch_device)
    given = snakemake.input
    base, adapter = deployed.folders(given.model, given.get("adapter"))
    spent = files.read_json(given.costs)
    dtype = device.dtype(settings["dtype"], torch_device)
    prompt = pyarrow.parquet.ParquetFile(given.validation).read()["prompt_ids"][0].as_py()
    # An int8 base is timed by the engine that generates; an unpruned one also by the other and
    # by transformers with the same weights dense.
    engines = [spent["engine"]]
    if deployed.in_int8(base) and snakemake.params.all_engines:
        engines = list(dict.fromkeys([*engines, *deployed.ENGINES, "transformers"]))
    latency = {}
    for kind in engines:
        log.info("milliseconds a token, %s", kind)
        if kind == "transformers":
            model = quantisation.load_dense(base, torch_device, dtype, adapter)
        else:
            model = deployed.load(base, adapter, kind, torch_device, dtype)
        latency[kind] = costs.milliseconds_per_token(
            model, prompt, measure["tokens"], measure["repeats"]
        )
    adapters = given.get("adapter", [])
    weights = [given.model[0], *adapters[:1]]
    files.write_json(
        snakemake.output[0],
        {
            **spent,
            # Where the summaries were made, and where a token was timed.
            "device": " / ".join(dict.fromkeys([spent["device"], record.device])),
            "ms_per_token": {kind: round(median_high(runs), 4) for kind, runs in latency.items()},
            "ms_per_token_runs": {
                kind: [round(run, 4) for run in runs] for kind, runs in latency.items()
            },
            "parameters": sizes.parameters(weights),
            "nonzero_parameters": sizes.nonzero_parameters(weights),
            "size_mb": round(sizes.size_mb([*given.model, *adapters, given.tokenizer]), 4),
        },
    )


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
