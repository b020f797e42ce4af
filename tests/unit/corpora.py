"""Small corpora for tests, and what is said of one that is refused."""

import json
from pathlib import Path

import pandas
import pytest

from sparsesum.base.errors import InputError
from sparsesum.corpus import corpus


def record(number: int) -> dict:
    """A bill as BillSum has it."""
    return {"text": f"Bill {number}.", "summary": f"Summary {number}.", "title": f"Title {number}"}


def fault(folder: Path, split: str, count: int = 9, **options) -> str:
    """The one line with which a split is refused."""
    with pytest.raises(InputError) as caught:
        corpus.records(folder, split, count, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def lines(rows: list[dict], end: str = "\n") -> bytes:
    """Records as JSON Lines."""
    return "".join(json.dumps(row, ensure_ascii=False) + end for row in rows).encode()


def write(name: str, content: bytes) -> None:
    """A file below the working directory, and its folders."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content)


def parquet(name: str, rows: list[dict]) -> None:
    """Records as such a file."""
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    pandas.DataFrame(rows).to_parquet(name)
