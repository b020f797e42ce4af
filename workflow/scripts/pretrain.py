"""A miniature OPT model of one of the two true shapes, pretrained on generated bills."""

from runner import job

from sparsesum.jobs.job import Progress


def main(snakemake, record) -> None:
    from pathlib import Path

    from sparsesum.base import files
    from sparsesum.machine import device
    from sparsesum.models import pretraining

    settings = snakemake.params
    torch_device = device.prepare("cpu", settings.threads)
    record.device = device.name(torch_device)
    with files.whole(Path(snakemake.output.model).parent) as draft:
        pretraining.pretrain(
            settings.shape,
            pretraining.train_tokenizer(settings.vocabulary, settings.seed),
            draft,
            **settings.training,
            markdown=settings.markdown,
            batch_size=settings.batch_size,
            seed=settings.seed,
            progress=Progress("pretraining", settings.training["steps"], "steps"),
        )


if __name__ == "__main__":
    with job(snakemake) as record:
        main(snakemake, record)
