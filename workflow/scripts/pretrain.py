"""A miniature OPT model of one of the two true shapes, pretrained on generated bills."""

from runner import job

from sparsesum.job import Progress


def main(snakemake, made) -> None:
    from pathlib import Path

    from sparsesum import device, files, pretraining

    settings = snakemake.params
    where = device.prepare("cpu", settings.threads)
    made.device = device.name(where)
    rounds = settings.model["rounds"]
    with files.whole(Path(snakemake.output.model).parent) as draft:
        pretraining.pretrain(
            settings.model["shape"],
            pretraining.train_tokenizer(settings.vocabulary, settings.seed),
            draft,
            rounds=rounds,
            batch_size=settings.batch_size,
            seed=settings.seed,
            progress=Progress("pretraining", sum(r["steps"] for r in rounds), "steps"),
        )


if __name__ == "__main__":
    with job(snakemake) as made:
        main(snakemake, made)
