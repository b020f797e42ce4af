"""What copying, repetition and silence score: cheating predictions for each bill."""

from runner import job

from sparsesum.experiment.evaluated import SPLITS


def main(snakemake, record) -> None:
    import pandas
    from tokenizers import Tokenizer

    from sparsesum.base import files
    from sparsesum.corpus import prompt
    from sparsesum.machine import device
    from sparsesum.scoring import cheats, encoder, grounding, similarity

    given, settings = snakemake.input, snakemake.params
    torch_device = device.prepare(settings.device, settings.threads)
    record.device = device.name(torch_device)
    folder = encoder.located(settings.encoder, given.manifest, settings.sha256)
    tokenizer = Tokenizer.from_file(given.tokenizer)
    written, examples = [], []
    for split in SPLITS:
        asked = pandas.read_parquet(given[f"{split}_tokens"])["prompt_ids"]
        generations = files.read_jsonl(given[split])
        predictions = cheats.cheat(
            generations,
            tokenizer.decode_batch([list(ids) for ids in asked]),
            prompt.Prompt(**settings.prompt),
        )
        written += [{"split": split, **row} for row in predictions]
        records = [
            {"prediction": row[kind], "cut_off": False, **row}
            for kind in cheats.CHEATS
            for row in predictions
        ]
        bills = files.read_jsonl(given[f"{split}_bills"])
        figures = pandas.DataFrame(grounding.ground(records, bills)[0])
        scored = pandas.DataFrame(
            similarity.score(
                records, folder, settings.layer, settings.batch_size, str(torch_device)
            )
        )
        kinds = [kind for kind in cheats.CHEATS for _ in predictions]
        frame = scored.join(figures[list(grounding.METRICS)])
        frame.insert(0, "cheat", kinds)
        frame.insert(1, "split", split)
        examples.append(frame)
    files.write_jsonl(snakemake.output.predictions, written)
    with files.whole(snakemake.output.scores) as draft:
        pandas.concat(examples).to_csv(draft, index=False, float_format="%.6f")


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
