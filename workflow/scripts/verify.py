"""Every artifact and every input hashed again; exit code 1 if one is not as it was recorded."""

from runner import job

from sparsesum.jobs.job import Progress, log

SHOWN = 20


def main(snakemake) -> None:
    from pathlib import Path

    from sparsesum.base.errors import InputError
    from sparsesum.jobs import verification

    folder = Path(snakemake.params.folder)
    progress = Progress("verify", len(verification.records(folder)), "records")
    found = verification.verify(folder, progress)
    for what, paths in (
        ("no readable record", found.unreadable),
        ("not what its job wrote", found.damaged),
        ("gone", found.gone),
        ("no job's record names it", found.unknown),
    ):
        tell([f"{path}: {what}" for path in paths])
    for path, outputs in found.outdated.items():
        more = f" and {len(outputs) - 1} more" if outputs[1:] else ""
        tell([f"{path}: not as it was when {outputs[0]}{more} was made from it"])
    if remove := [*found.unreadable, *found.damaged]:
        log.warning("to rebuild them: rm %s && run the same command again", " ".join(remove))
    if not found.matches:
        raise InputError(
            f"of {found.files} files of {found.records} jobs in {folder} not all are as recorded; "
            "the lines above say which"
        )
    log.info("%d files of %d jobs: all as recorded", found.files, found.records)


def tell(lines: list[str]) -> None:
    for line in lines[:SHOWN]:
        log.warning(line)
    if lines[SHOWN:]:
        log.warning("and %d more", len(lines) - SHOWN)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
