"""What copying, repetition and silence score: cheating predictions for each bill."""

from runner import job

SPLITS = ["validation", "test"]


def main(snakemake, made) -> None:
    import pandas
    from tokenizers import Tokenizer

    from sparsesum import cheats, device, encoder, files, grounding, prompt, scores

    given, settings = snakemake.input, snakemake.params
    where = device.prepare(settings.device, settings.threads)
    made.device = device.name(where)
    folder = encoder.located(settings.encoder, given.manifest, settings.sha256)
    tokenizer = Tokenizer.from_file(given.tokenizer)
    written, examples = [], []
    for split in SPLITS:
        asked = pandas.read_parquet(given[f"{split}_tokens"])["prompt_ids"]
        generations = files.read_jsonl(given[split])
        those = cheats.cheat(
            generations,
            tokenizer.decode_batch([list(ids) for ids in asked]),
            prompt.Prompt(**settings.prompt),
        )
        written += [{"split": split, **row} for row in those]
        records = [
            {"prediction": row[kind], "cut_off": False, **row}
            for kind in cheats.CHEATS
            for row in those
        ]
        bills = files.read_jsonl(given[f"{split}_bills"])
        figures = pandas.DataFrame(grounding.ground(records, bills)[0])
        scored = pandas.DataFrame(
            scores.score(records, folder, settings.layer, settings.batch_size, str(where))
        )
        kinds = [kind for kind in cheats.CHEATS for _ in those]
        frame = scored.join(figures[list(grounding.METRICS)])
        frame.insert(0, "cheat", kinds)
        frame.insert(1, "split", split)
        examples.append(frame)
    files.write_jsonl(snakemake.output.predictions, written)
    with files.whole(snakemake.output.scores) as draft:
        pandas.concat(examples).to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
