"""What is needed of a source on the Hugging Face Hub, in the Hub's cache; the manifest of it."""

import os

from runner import job


def main(snakemake) -> None:
    from sparsesum.base import files
    from sparsesum.corpus import download

    manifest = download.fetch(snakemake.wildcards.kind, **snakemake.params.origin)
    files.write_json(snakemake.output[0], manifest)


if __name__ == "__main__":
    # Plain HTTP: its faults are known and tested here, and proxies let it through.
    os.environ.setdefault("HF_HUB_DISABLE_XET", "1")
    with job(snakemake, hub=True):
        main(snakemake)
