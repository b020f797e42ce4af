"""What copying and repetition score: two cheating predictions for each test bill."""

from runner import job


def main(snakemake, made) -> None:
    import pandas
    from tokenizers import Tokenizer

    from sparsesum import cheats, device, encoder, files, prompt, scores

    given, settings = snakemake.input, snakemake.params
    where = device.prepare(settings.device, settings.threads)
    made.device = device.name(where)
    folder = encoder.located(settings.encoder, given.manifest, settings.sha256)
    asked = pandas.read_parquet(given.tokens)["prompt_ids"]
    tokenizer = Tokenizer.from_file(given.tokenizer)
    written = cheats.cheat(
        files.read_jsonl(given.generations),
        tokenizer.decode_batch([list(ids) for ids in asked]),
        prompt.Prompt(**settings.prompt),
    )
    files.write_jsonl(snakemake.output.predictions, written)
    records = [
        {"cheat": kind, "prediction": row[kind], "cut_off": False, **row}
        for kind in cheats.CHEATS
        for row in written
    ]
    scored = scores.score(records, folder, settings.layer, settings.batch_size, str(where))
    examples = pandas.DataFrame(scored)
    examples.insert(0, "cheat", [record["cheat"] for record in records])
    examples.insert(1, "split", "test")
    with files.whole(snakemake.output.scores) as draft:
        examples.to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
