"""Files of records; the ending of the name says which format."""

TEXT = (".jsonl", ".json", ".csv", ".tsv")

PACKED = {".gz": "gzip", ".bz2": "bz2", ".zst": "zstd"}
"""What a text format may be packed with, and what pyarrow calls it."""

FORMATS = (".jsonl", ".parquet", ".json", ".csv", ".tsv", ".arrow")
ENDINGS = (*FORMATS, *(form + packed for packed in PACKED for form in TEXT))
"""In the order in which they are looked for."""

ALLOWED = f"{', '.join(FORMATS)}, the text formats also with {', '.join(PACKED)}"


def ending(name: str) -> str:
    """The one of the ENDINGS that a file's name has after its stem; "" for any other name."""
    return next((end for end in ENDINGS if name.endswith(end) and name != end), "")
