"""What made the results: the records of all jobs that led to them, in one file."""

from runner import job

from sparsesum.job import log


def main(snakemake) -> None:
    from sparsesum import files, lineage, pages, provenance_text

    made, settings = snakemake.output, snakemake.params
    found = lineage.gathered(snakemake.input.results, dict(snakemake.config))
    for key, name in (
        ("git", "commits"),
        ("machine", "machines"),
        ("versions", "sets of versions"),
    ):
        if len(found[key]) > 1:
            log.warning("made with %d %s: the file has them", len(found[key]), name)
    if not all(commit["clean"] for commit in found["git"]):
        log.warning("made in part by code or configuration that is in no commit")
    files.write_json(made.records, found)
    text = provenance_text.markdown(found, settings.preset, settings.note)
    pages.write(text, made.markdown, made.page)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
