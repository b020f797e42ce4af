"""What each row costs, from the results grid: Markdown and a page for people."""

from runner import job


def main(snakemake) -> None:
    import pandas

    from sparsesum import costs_table, pages

    given, made = snakemake.input, snakemake.output
    # "none" is a pruner's name here.
    table = pandas.read_csv(given.table, keep_default_na=False, na_values=[""])
    pages.write(costs_table.markdown(table, snakemake.params.note), made.markdown, made.page)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
