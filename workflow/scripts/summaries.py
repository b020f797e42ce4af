"""The summaries of a text of one's own by several rows: as Markdown, as a page, for a terminal."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.corpus import own_text
    from sparsesum.pages import pages, summaries
    from sparsesum.scoring import grounding

    given, settings, output = snakemake.input, snakemake.params, snakemake.output
    name = snakemake.wildcards.bill
    # `ground` compares with a reference, and there is none.
    records = [files.read_json(path) | {"reference": ""} for path in given.summaries]
    bill = own_text.read(given.bill)
    figures, marks = grounding.ground(records, [{"id": name, "text": bill, "summary": ""}])
    found = [
        summaries.of(*each) for each in zip(settings.rows, records, figures, marks, strict=True)
    ]
    about = summaries.About(name, len(bill), settings.text, settings.preset, settings.note)
    pages.write(summaries.markdown(about, found), output.markdown, output.page)
    with files.whole(output.terminal) as draft:
        draft.write_text(summaries.terminal(about, found), encoding="utf-8")


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
