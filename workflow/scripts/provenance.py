"""What made the results: the records of all jobs that led to them, in one file."""

from runner import job

from sparsesum.jobs.job import log


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.pages import lineage, pages, provenance_text

    output, settings = snakemake.output, snakemake.params
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
    files.write_json(output.records, found)
    text = provenance_text.markdown(found, settings.preset, settings.note)
    pages.write(text, output.markdown, output.page)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
