"""An int8 base with the adapter trained beside it, the loss curve and the training costs."""

from sparsesum.job import job


def main(snakemake) -> None:
    from pathlib import Path

    from sparsesum import device, files, qlora

    where = device.prepare(snakemake.params.device, snakemake.params.threads)
    output = Path(snakemake.output.costs).parent
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
        )
        files.write_json(draft / "costs.json", costs)


if __name__ == "__main__":
    name = f"qlora {snakemake.wildcards.model} {snakemake.wildcards.sparsity}"
    with job(name, snakemake.log[0], snakemake.output.model):
        main(snakemake)
