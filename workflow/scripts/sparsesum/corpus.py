"""A corpus: the first records of each split of BillSum, or of a folder in its format.

Columns are BillSum's: text, summary, and where there is one title.
"""

import json
import logging
import re
from collections.abc import Iterator
from itertools import chain, islice
from itertools import count as counting
from pathlib import Path

from sparsesum.errors import InputError

log = logging.getLogger(__name__)


def patterns(name: str) -> list[str]:
    """What the files of a split may be called, the first that there is being taken.

    NAME.jsonl or NAME.parquet, or the Hub's shards NAME-*.parquet; in the folder itself or in its
    data/. US splits may be called us_NAME, as in BillSum's first release.
    """
    return [
        f"{place}{stem}{ending}"
        for place in ("", "data/")
        for stem in (name, f"us_{name}")
        for ending in (".jsonl", ".parquet", "-*.parquet")
    ]


def split_files(folder: Path, name: str) -> list[Path]:
    """The files of a split in a folder; an InputError where there are none."""
    for pattern in patterns(name):
        if found := sorted(folder.glob(pattern)):
            return found
    there = sorted(path.name for path in folder.glob("*.*")) or ["nothing"]
    raise InputError(
        f"{folder}: no split '{name}'; allowed is {name}.jsonl, {name}.parquet or "
        f"{name}-*.parquet, here or in data/; there is {', '.join(there[:8])}"
    )


def _rows(path: Path) -> Iterator[tuple[str, dict]]:
    """The rows of a file, each with the words that say where it stands."""
    if path.suffix == ".parquet":
        import pandas

        try:
            frame = pandas.read_parquet(path)
        # Of bytes that are no parquet the readers make faults of any kind.
        except Exception as error:
            raise InputError(f"{path}: no readable parquet file: {error}") from None
        for number, row in enumerate(frame.to_dict("records")):
            yield f"{path}, row {number}", row
        return
    with path.open(encoding="utf-8", errors="surrogateescape") as file:
        for number, line in enumerate(file, start=1):
            where = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            # A number of 5,000 digits is a ValueError, lists 1,000 deep are a RecursionError.
            except (ValueError, RecursionError) as error:
                raise InputError(f"{where}: broken JSON: {error}") from None
            if not isinstance(row, dict):
                raise InputError(f"{where}: a record must be a JSON object with text and summary")
            yield where, row


def _id(given: object) -> str | None:
    """A bill's own id, where it is a plain word; else none.

    Ids become cells of CSV files: a word of up to 100 letters, digits, ., _, : and - that no
    reader of them takes for a number, a missing value or a formula.
    """
    if not isinstance(given, str) or not re.fullmatch(r"[A-Za-z0-9][\w.:-]{0,99}", given, re.ASCII):
        return None
    if not (re.search("[A-Za-z]", given) and re.search("[0-9]", given)):
        return None
    try:
        float(given)  # 1e5
    except ValueError:
        return given
    return None


def records(folder: Path, name: str, count: int) -> list[dict[str, str]]:
    """The first `count` records of a split (all, where it has fewer): id, title, text, summary."""
    found: list[dict[str, str]] = []
    taken: set[str] = set()
    replaced = 0
    rows = chain.from_iterable(map(_rows, split_files(folder, name)))
    for where, row in islice(rows, count):
        for key in ("text", "summary"):
            if not isinstance(row.get(key), str):
                raise InputError(
                    f"{where}: a record without {key}; each needs text and summary, as strings"
                )
        title, given = row.get("title"), row.get("bill_id")
        own = _id(given)
        if own is None or own in taken:
            replaced += isinstance(given, str | int)
            free = (f"{name}-{number}" for number in counting(len(found)))
            own = next(other for other in free if other not in taken)
        taken.add(own)
        found.append(
            {
                "id": own,
                "title": title if isinstance(title, str) else "",
                "text": row["text"],
                "summary": row["summary"],
            }
        )
    if not found:
        raise InputError(f"{folder}: split '{name}' has no records")
    if replaced:
        log.warning(
            "%s: %d of %d bill_ids are no plain words or not a bill's own; '%s-NUMBER' stands for "
            "them",
            *(name, replaced, len(found), name),
        )
    if len(found) < count:
        log.warning("%s: %d records asked for, %s has %d", name, count, folder, len(found))
    return found
