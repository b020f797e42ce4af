"""What each row costs, from the results grid: Markdown and a page for people."""

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import frames
    from sparsesum.pages import pages, table_costs

    given, output = snakemake.input, snakemake.output
    table = frames.read(given.table)
    pages.write(table_costs.markdown(table, snakemake.params.note), output.markdown, output.page)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
