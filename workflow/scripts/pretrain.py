"""A miniature OPT model of one of the two true shapes, pretrained on generated bills."""

from sparsesum.job import Progress, job


def main(snakemake, log) -> None:
    from pathlib import Path

    from sparsesum import device, files, pretraining

    settings = snakemake.params
    device.prepare("cpu", settings.threads)
    with files.whole(Path(snakemake.output.model).parent) as draft:
        pretraining.pretrain(
            settings.model["shape"],
            pretraining.train_tokenizer(settings.vocabulary, settings.seed),
            draft,
            steps=settings.steps,
            batch_size=settings.batch_size,
            learning_rate=settings.model["learning_rate"],
            seed=settings.seed,
            progress=Progress(log, "pretraining", settings.steps, "steps"),
        )


if __name__ == "__main__":
    name = f"pretrain {snakemake.wildcards.model}"
    with job(name, snakemake.log[0], snakemake.output.model) as log:
        main(snakemake, log)
