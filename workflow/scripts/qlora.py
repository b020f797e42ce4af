"""An int8 base with the adapter trained beside it, the loss curve and the training costs."""

from runner import job


def main(snakemake, made) -> None:
    from pathlib import Path

    from sparsesum import device, files, qlora

    where = device.prepare(
        snakemake.params.device, snakemake.params.threads, snakemake.params.deterministic
    )
    made.device = device.name(where)
    output = Path(snakemake.output.costs).parent
    notes = made.scratch(output, where.type)
    with files.whole(output) as draft:
        costs = qlora.finetune(
            checkpoint=Path(snakemake.input.model[0]).parent,
            tokens=snakemake.input.tokens,
            tokenizer_file=snakemake.input.tokenizer,
            device=where,
            settings=snakemake.params.settings,
            base=draft / "base",
            adapter=draft / "adapter",
            curve=draft / "curve.csv",
            notes=notes,
            # No param: it decides no byte of the result.
            save_every=snakemake.config["save_every"],
            # As seen from the project's folder, where peft looks: no path of this machine.
            base_name=str(output / "base"),
        )
        files.write_json(draft / "costs.json", costs)


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
