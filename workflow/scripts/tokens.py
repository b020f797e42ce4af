"""The token ids of a split: to train on, and to ask with; as parquet, one row a record."""

from runner import job


def main(snakemake) -> None:
    import pandas
    from tokenizers import Tokenizer

    from sparsesum.base import files
    from sparsesum.corpus import prompt, tokens

    columns = tokens.tokenise(
        Tokenizer.from_file(snakemake.input.tokenizer),
        files.read_jsonl(snakemake.input.records),
        text_tokens=snakemake.params.text,
        summary_tokens=snakemake.params.summary,
        template=prompt.Prompt(**snakemake.params.prompt),
    )
    with files.whole(snakemake.output[0]) as draft:
        pandas.DataFrame(columns).to_parquet(draft, index=False)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
