"""This project's tables read back: names as they are, all else as pandas takes it."""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas

NAMES = ("model", "finetuning", "pruner", "sparsity", "corpus", "preset")


def read(path: str | Path) -> "pandas.DataFrame":
    """A table as CSV. Names stay texts: a model may be called NA or 007. A blank is no value."""
    import pandas

    return pandas.read_csv(
        path, dtype=dict.fromkeys(NAMES, str), keep_default_na=False, na_values=[""]
    )
