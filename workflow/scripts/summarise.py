"""A row's summary of a text of one's own, how much of it the model read, and the time it took."""

from runner import job


def main(snakemake, record) -> None:
    from tokenizers import Tokenizer

    from sparsesum.base import files
    from sparsesum.corpus import own_text
    from sparsesum.corpus.prompt import Prompt
    from sparsesum.generation import generation
    from sparsesum.machine import device
    from sparsesum.models import deployed

    given, settings = snakemake.input, snakemake.params.settings
    template, new = Prompt(**snakemake.params.prompt), settings["max_new_tokens"]
    prompt, share = own_text.asked(
        Tokenizer.from_file(given.tokenizer),
        own_text.read(given.bill),
        snakemake.params.text,
        files.read_json(given.model[1])["max_position_embeddings"] - new,
        template,
    )
    torch_device = device.prepare(snakemake.params.device, snakemake.params.threads)
    record.device = device.name(torch_device)
    base, adapter = deployed.folders(given.model, given.get("adapter"))
    engine = settings["engine"] if deployed.in_int8(base) else "dense"
    dtype = device.dtype(settings["dtype"], torch_device)
    model = deployed.load(base, adapter, engine, torch_device, dtype)
    tokenizer = generation.tokenizer(given.tokenizer)
    generated = generation.generate(
        model, tokenizer, [prompt], batch_size=1, max_new_tokens=new, stop=template.stop
    )
    tokens = {"id": [snakemake.wildcards.bill], "prompt_ids": [prompt], "reference": [""]}
    (summary,) = generation.records(tokens, generated.tokens, tokenizer, new, template)
    del summary["reference"]  # there is none
    files.write_json(
        snakemake.output[0],
        {
            **summary,
            "read": round(share, 6),
            "seconds": round(generated.seconds, 3),
            "device": record.device,
            "dtype": str(dtype).removeprefix("torch."),
            "engine": engine,
        },
    )


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
