"""The rows of a file of records: JSON, CSV, Parquet or Arrow, read no further than it is asked for.

Read with json, csv and pyarrow, not with the package `datasets` (5.2.0): that makes a date of the
text "2020-01-01", a number of "007" and nothing of "NA" or "null", refuses lone surrogates, knows
no line that a fault is in, and takes seconds to be imported. Which files there are, and what is in
them, is as there.
"""

import codecs
import csv
import json
import re
import sys
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from io import BufferedReader, TextIOWrapper
from itertools import chain, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from sparsesum.base.errors import InputError
from sparsesum.corpus import formats

if TYPE_CHECKING:
    from pyarrow import RecordBatch

CHARACTERS = 1 << 20
"""That are read of a JSON array at a time; of a larger record twice as many each time."""

BATCH = 100
"""Rows that are taken of a table at a time: articles may have a megabyte."""

UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)

_blank: Any = re.compile(r"[ \t\r\n]*").match


def rows(path: str | Path, columns: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """Each row, with words that say where it stands.

    A row has every column of its own; of a Parquet or Arrow file only the values of these
    `columns`, and None for the others. In a CSV file all cells are text, as they stand there, and
    None where a row is too short. Bytes that are no UTF-8 become lone surrogates. An InputError
    with the place for anything that cannot be read.
    """
    path = Path(path)
    end = formats.ending(path.name)
    if end in (".parquet", ".arrow"):
        yield from _table(path, end, columns)
    elif end.startswith((".csv", ".tsv")):
        yield from _csv(path, "," if end.startswith(".csv") else "\t")
    elif end:
        yield from _json(path)
    else:
        raise InputError(f"{path}: no format of records; allowed are {formats.ALLOWED}")


@contextmanager
def _opened(path: Path, newline: str | None = None) -> Iterator[TextIO]:
    """The text of a file, packed or not, without its byte order mark; UTF-16 where that says so."""
    packed = formats.PACKED.get(path.suffix)
    try:
        if packed:
            import pyarrow

            raw = pyarrow.input_stream(str(path), compression=packed)
        else:
            raw = path.open("rb", buffering=0)
        with raw, BufferedReader(raw) as file:
            code = "utf-16" if file.peek(2)[:2] in UTF_16 else "utf-8-sig"
            yield TextIOWrapper(file, code, "surrogateescape", newline)
    except (OSError, ValueError) as error:
        how = f" as {packed}; fetch or pack it again" if packed else ""
        raise InputError(f"{path}: cannot be read{how}: {error}") from None


def _first(file: TextIO) -> tuple[str, int]:
    """The first character that is not blank, "" where there is none, and the lines before it."""
    lines, found = 0, file.read(1)
    while found.isspace():
        lines, found = lines + (found == "\n"), file.read(1)
    return found, lines


def _json(path: Path) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of JSON Lines, or of one array."""
    with _opened(path) as file:
        first, before = _first(file)
        if first == "[":
            for number, row in enumerate(_items(path, file), start=1):
                yield _object(f"{path}, record {number}", row)
            return
        lines = chain([first + file.readline()], file)
        for number, line in enumerate(lines, start=before + 1):
            place = f"{path}, line {number}"
            if not line.strip():
                continue
            try:
                row = json.loads(line)
            # A number of 5,000 digits is a ValueError, lists 1,000 deep are a RecursionError.
            except (ValueError, RecursionError) as error:
                raise InputError(f"{place}: broken JSON: {error}") from None
            yield _object(place, row)


def _object(place: str, row: object) -> tuple[str, dict[str, Any]]:
    if not isinstance(row, dict):
        raise InputError(f"{place}: a record must be a JSON object, a name with each value")
    return place, row


def _items(path: Path, file: TextIO) -> Iterator[object]:
    """The items of a JSON array whose "[" was read; the file is read as far as each needs."""
    decode = json.JSONDecoder().raw_decode
    text, at, number = _first(file)[0], 0, 0
    end, mark = 0, "]" if text == "]" else ","
    while mark == ",":
        number, size = number + 1, CHARACTERS
        while True:
            try:
                item, end = decode(text, _blank(text, at).end())
                end = _blank(text, end).end()
                mark = text[end]
                break
            except IndexError:
                fault = "the file ends before the array"
            except (ValueError, RecursionError) as error:
                fault = getattr(error, "msg", str(error))
                # What comes after mends an open string, and what is broken at the text's end.
                inside = getattr(error, "pos", len(text)) < len(text) - 16
                if inside and not fault.startswith("Unterminated"):
                    raise InputError(f"{path}, record {number}: broken JSON: {fault}") from None
            more = file.read(size)
            if not more:
                raise InputError(f"{path}, record {number}: broken JSON: {fault}")
            text, at, size = text[at:] + more, 0, 2 * size
        yield item
        at = end + 1
    rest = chain([text[end + 1 :]], iter(lambda: file.read(CHARACTERS), ""))
    if mark != "]" or any(part.strip() for part in rest):
        raise InputError(f"{path}, after record {number}: broken JSON: no comma, and not the end")


def _csv(path: Path, delimiter: str) -> Iterator[tuple[str, dict[str, str | None]]]:
    """The rows of a file with a header; cells with line breaks or quotes stand in quotes."""
    csv.field_size_limit(sys.maxsize)
    with _opened(path, newline="") as file:
        reader, names = csv.reader(file, delimiter=delimiter, strict=True), []  # type: Any, list[str]
        while True:
            place = f"{path}, line {reader.line_num + 1}"
            try:
                cells = next(reader, None)
            except csv.Error as error:
                raise InputError(
                    f"{place}: broken CSV: {error}; a cell with quotes stands in quotes, its own "
                    "are doubled"
                ) from None
            if cells is None:
                return
            if not names:
                names = cells
                if twice := next((name for name in names if names.count(name) > 1), None):
                    raise InputError(f"{place}: two columns are called '{twice}'")
            elif len(cells) > len(names):
                raise InputError(f"{place}: {len(cells)} cells, and the header has {len(names)}")
            elif cells:
                yield place, dict(zip_longest(names, cells))


def _table(path: Path, end: str, columns: Collection[str]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The rows of a Parquet or Arrow file; the first is row 0."""
    number = 0
    try:
        for names, batch in (_parquet if end == ".parquet" else _arrow)(path, columns):
            for start in range(0, batch.num_rows, BATCH):
                for row in batch.slice(start, BATCH).to_pylist():
                    yield f"{path}, row {number}", dict.fromkeys(names) | row
                    number += 1
    # Of bytes that are no such file the readers make faults of any kind.
    except Exception as error:
        raise InputError(f"{path}: no readable {end[1:]} file: {error}") from None


def _parquet(path: Path, columns: Collection[str]) -> Iterator[tuple[list[str], "RecordBatch"]]:
    """The names of all columns, with some rows of those asked for."""
    from pyarrow.parquet import ParquetFile

    with ParquetFile(path) as file:
        names = file.schema_arrow.names
        for batch in file.iter_batches(BATCH, columns=[name for name in names if name in columns]):
            yield names, batch


def _arrow(path: Path, columns: Collection[str]) -> Iterator[tuple[list[str], "RecordBatch"]]:
    """The same of a stream, as save_to_disk writes it, or of a file in the format of that name."""
    import pyarrow

    with pyarrow.memory_map(str(path)) as source:
        try:
            batches = reader = pyarrow.ipc.open_stream(source)
        except pyarrow.ArrowInvalid:
            reader = pyarrow.ipc.open_file(source)
            batches = map(reader.get_batch, range(reader.num_record_batches))
        names = reader.schema.names
        for batch in batches:
            batch.validate(full=True)  # offsets that others wrote may lead anywhere
            yield names, batch.select([name for name in names if name in columns])
