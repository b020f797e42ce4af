"""A corpus: the first records of each split, of BillSum or of any other texts with summaries."""

import logging
import re
from collections import Counter
from collections.abc import Mapping
from itertools import chain
from itertools import count as counting
from pathlib import Path
from typing import Any

from sparsesum.base.errors import InputError
from sparsesum.corpus import splits
from sparsesum.corpus.reading import rows

log = logging.getLogger(__name__)

COLUMNS = {"text": "text", "summary": "summary", "title": "title", "id": "bill_id"}
"""BillSum's, for what a corpus's `columns` do not name. Its title and bill_id may be missing."""


def _cell(place: str, row: dict[str, Any], column: str) -> tuple[str, str | None]:
    """The text in a record's column, and what the record is if there is none: "without summary".

    A list of texts (arXiv's sentences or sections) is joined by line breaks.
    """
    given = row.get(column)
    if isinstance(given, list) and all(isinstance(part, str) for part in given):
        given = "\n".join(given)
    if given is None or given != given:  # NaN
        return "", f"without {column}"
    if not isinstance(given, str):
        raise InputError(
            f"{place}: {column} is of type {type(given).__name__}; allowed is a text, or a list of "
            "texts alone"
        )
    return given, None if given.strip() else f"with a blank {column}"


def _there(row: dict[str, Any]) -> str:
    return f"its columns are {', '.join(list(row)[:20])}"


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


# A split computes the same, and reruns every row that anyone has.
def records(  # noqa: C901
    folder: Path,
    name: str,
    count: int,
    configuration: str | None = None,
    columns: Mapping[str, str] = COLUMNS,
    incomplete: str = "refuse",
) -> list[dict[str, str]]:
    """The first `count` records of a split (all, where it has fewer): id, title, text, summary.

    `configuration` is the folder that the split's files are in, if there are several. A record
    whose text or summary is missing or blank is an InputError with its place, or left out and not
    counted if `incomplete` is "skip".
    """
    columns = COLUMNS | dict(columns)
    found: list[dict[str, str]] = []
    taken: set[str] = set()
    replaced = 0
    left_out: Counter[str] = Counter()
    first = ""
    files = splits.files(folder, name, configuration)
    wanted = set(columns.values())
    for place, row in chain.from_iterable(rows(file, wanted) for file in files):
        for key in () if found else ("title", "id"):
            if columns[key] != COLUMNS[key] and columns[key] not in row:
                raise InputError(
                    f"{place}: no column '{columns[key]}', which the corpus's key columns.{key} "
                    f"names; {_there(row)}"
                )
        texts = {}
        for key in ("text", "summary"):
            texts[key], fault = _cell(place, row, columns[key])
            if fault:
                break
        if fault:
            mend = "set the corpus's key incomplete to skip, which leaves such records out"
            if columns[key] not in row:
                mend = f"{_there(row)}; name one by the corpus's key columns.{key}, or {mend}"
            first = first or f"{place}: a record {fault}; {mend}"
            if incomplete == "refuse":
                raise InputError(first)
            left_out[fault] += 1
            continue
        title, given = row.get(columns["title"]), row.get(columns["id"])
        own = _id(given)
        if own is None or own in taken:
            replaced += isinstance(given, str | int)
            free = (f"{name}-{number}" for number in counting(len(found)))
            own = next(other for other in free if other not in taken)
        taken.add(own)
        found.append({"id": own, "title": title if isinstance(title, str) else "", **texts})
        if len(found) == count:
            break
    if not found:
        why = f"complete record; the first is {first}" if first else "records"
        raise InputError(f"{folder}: split '{name}' has no {why}")
    if left_out:
        reasons = ", ".join(f"{number} {fault}" for fault, number in left_out.items())
        place = first.partition(": a record ")[0]
        log.warning(
            "%s: %d records left out: %s; the first is %s",
            *(name, left_out.total(), reasons, place),
        )
    if replaced:
        log.warning(
            "%s: %d of %d %ss are no plain words or not a bill's own; '%s-NUMBER' stands for them",
            *(name, replaced, len(found), columns["id"], name),
        )
    if len(found) < count:
        complete = " complete ones" if left_out else ""
        log.warning(
            "%s: %d records asked for, %s has %d%s", name, count, folder, len(found), complete
        )
    return found
