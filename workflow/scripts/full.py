"""A fully fine-tuned checkpoint, its loss curve and its training costs."""

from sparsesum.job import job


def main(snakemake) -> None:
    from pathlib import Path

    from sparsesum import device, files, full

    where = device.prepare(snakemake.params.device, snakemake.params.threads)
    output = Path(snakemake.output.model).parent
    with files.whole(output) as draft:
        costs = full.finetune(
            checkpoint=Path(snakemake.input.model[0]).parent,
            tokens=snakemake.input.tokens,
            tokenizer_file=snakemake.input.tokenizer,
            device=where,
            settings=snakemake.params.settings,
            folder=draft,
            curve=draft / "curve.csv",
        )
        files.write_json(draft / "costs.json", costs)


if __name__ == "__main__":
    name = f"full {snakemake.wildcards.model} {snakemake.wildcards.sparsity}"
    with job(name, snakemake.log[0], snakemake.output.model):
        main(snakemake)
