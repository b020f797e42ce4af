"""What each row costs, from the results grid: Markdown and a page for people."""

from runner import job


def main(snakemake) -> None:
    from sparsesum import costs_table, frames, pages

    given, made = snakemake.input, snakemake.output
    table = frames.read(given.table)
    pages.write(costs_table.markdown(table, snakemake.params.note), made.markdown, made.page)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
