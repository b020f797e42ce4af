"""A miniature OPT model of one of the two true shapes, pretrained on generated bills."""

from sparsesum.job import Progress, job


def main(snakemake, log) -> None:
    from pathlib import Path

    from sparsesum import device, files, pretraining

    settings = snakemake.params
    device.prepare("cpu", settings.threads)
    rounds = settings.model["rounds"]
    with files.whole(Path(snakemake.output.model).parent) as draft:
        pretraining.pretrain(
            settings.model["shape"],
            pretraining.train_tokenizer(settings.vocabulary, settings.seed),
            draft,
            rounds=rounds,
            batch_size=settings.batch_size,
            seed=settings.seed,
            progress=Progress(log, "pretraining", sum(r["steps"] for r in rounds), "steps"),
        )


if __name__ == "__main__":
    name = f"pretrain {snakemake.wildcards.model}"
    with job(name, snakemake.log[0], snakemake.output.model) as log:
        main(snakemake, log)
