"""A fully fine-tuned checkpoint, its loss curve and its training costs."""

from runner import job


def main(snakemake, made) -> None:
    from pathlib import Path

    from sparsesum import device, files, full

    where = device.prepare(
        snakemake.params.device, snakemake.params.threads, snakemake.params.deterministic
    )
    made.device = device.name(where)
    output = Path(snakemake.output.model).parent
    notes = made.scratch(output, where.type)
    with files.whole(output) as draft:
        costs = full.finetune(
            checkpoint=Path(snakemake.input.model[0]).parent,
            tokens=snakemake.input.tokens,
            tokenizer_file=snakemake.input.tokenizer,
            device=where,
            settings=snakemake.params.settings,
            folder=draft,
            curve=draft / "curve.csv",
            notes=notes,
            # No param: it decides no byte of the result.
            save_every=snakemake.config["save_every"],
        )
        files.write_json(draft / "costs.json", costs)


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
