"""The corpus that ships in resources/bills: synthetic bills, US (train, test) and California."""

from runner import job

SPLITS = {"train": ("us", 640, 11), "test": ("us", 100, 12), "ca_test": ("california", 100, 13)}
"""File, style, number of bills, seed."""


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.corpus import bills

    for split, (style, count, seed) in SPLITS.items():
        records = [
            {"bill_id": f"{split}-{number}", **bill.record()}
            for number, bill in enumerate(bills.bills(style, count, seed))
        ]
        files.write_jsonl(snakemake.output[split], records)


if __name__ == "__main__":
    with job(snakemake):
        main(snakemake)
