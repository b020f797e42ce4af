"""The same records from any format and layout that corpora are shared in; faults have a place."""

import bz2
import contextlib
import csv
import gzip
import io
import json
import random
from pathlib import Path
from types import SimpleNamespace

import pandas
import pyarrow
import pytest
from corpora import fault, lines, parquet, record, write

from sparsesum.base.errors import InputError
from sparsesum.corpus import corpus

RECORDS = [
    {"text": 'A "bill",\nof two\r\nor\rmore\tlines.', "summary": "NA"},
    {"text": "2020-01-01", "summary": "null"},
    {"text": "007", "summary": "None"},
    {"text": "nan", "summary": "1.50"},
    {"text": "a\u2028b\u2029c\x85d\x0be\x1cf\0g", "summary": "' , ; | \\\" \\n"},
    {"text": "\ufeffx" + "y" * 300_000, "summary": " s\n"},
]
"""What readers of one format or another take for dates, numbers, nothing or the end of a line."""

BOM = b"\xef\xbb\xbf"


def array(indent: int | None = None) -> bytes:
    return json.dumps(RECORDS, indent=indent).encode()


def cells(delimiter: str) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.DictWriter(file, list(RECORDS[0]), delimiter=delimiter)
    writer.writeheader()
    writer.writerows(RECORDS)
    return file.getvalue().encode()


def zstd(content: bytes) -> bytes:
    """Packed in two frames, one after the other."""
    parts = content[:300], content[300:]
    return b"".join(pyarrow.compress(part, codec="zstd", asbytes=True) for part in parts)


def saved() -> None:
    """A DatasetDict as `save_to_disk` writes it, in two shards, and beside them what `map` leaves.

    A split's folder alone is what it writes of a Dataset.
    """
    import datasets

    data = datasets.DatasetDict({"train": datasets.Dataset.from_list(RECORDS)})
    data.save_to_disk(".", num_shards={"train": 2})
    datasets.load_from_disk("train").map(lambda row: {"text": "other"})
    there = {path.name for path in Path("train").iterdir()}
    assert {"data-00001-of-00002.arrow", "state.json"} < there
    assert any(name.startswith("cache-") for name in there)


LAYOUTS = {
    "JSON Lines": lambda: write("train.jsonl", lines(RECORDS)),
    "with CRLF": lambda: write("train.jsonl", lines(RECORDS, "\r\n")),
    "with a BOM": lambda: write("train.jsonl", BOM + lines(RECORDS)),
    "called .json": lambda: write("train.json", lines(RECORDS)),
    "array": lambda: write("train.json", array()),
    "indented array": lambda: write("train.json", b"\n" + array(2) + b"\n\n"),
    "array with a BOM": lambda: write("train.jsonl", BOM + array()),
    "CSV": lambda: write("train.csv", cells(",")),
    "CSV with a BOM": lambda: write("train.csv", BOM + cells(",")),
    "TSV": lambda: write("train.tsv", cells("\t")),
    "TSV in UTF-16": lambda: write("train.tsv", cells("\t").decode().encode("utf-16")),
    "lines in UTF-16": lambda: write("train.jsonl", lines(RECORDS).decode().encode("utf-16")),
    "gzip": lambda: write("train.jsonl.gz", b"".join(gzip.compress(lines([r])) for r in RECORDS)),
    "gzip, array": lambda: write("train.json.gz", gzip.compress(array())),
    "gzip, CSV": lambda: write("train.csv.gz", gzip.compress(cells(","))),
    "bzip2": lambda: write("train.jsonl.bz2", bz2.compress(lines(RECORDS))),
    "zstd": lambda: write("train.jsonl.zst", zstd(lines(RECORDS))),
    "Parquet": lambda: parquet("train.parquet", RECORDS),
    "Hub, a configuration": lambda: parquet("3.0.0/train-00000-of-00001.parquet", RECORDS),
    "Hub, one in data/": lambda: parquet("data/3.0.0/train-00000-of-00001.parquet", RECORDS),
    "Hub, nested data/": lambda: write("x/data/train.jsonl.gz", gzip.compress(lines(RECORDS))),
    "save_to_disk": saved,
    "shards of lines": lambda: (
        write("train-00000-of-00002.jsonl", lines(RECORDS[:2])),
        write("train-00001-of-00002.jsonl", lines(RECORDS[2:])),
    ),
    "Hub, a split's folder": lambda: (
        parquet("plain_text/train/0000.parquet", RECORDS[:2]),
        parquet("plain_text/train/0001.parquet", RECORDS[2:]),
    ),
}


@pytest.mark.parametrize("layout", LAYOUTS)
def test_the_same_records_whatever_the_format(tmp_path, monkeypatch, layout):
    monkeypatch.chdir(tmp_path)
    LAYOUTS[layout]()
    whole = [{"id": f"train-{i}", "title": "", **row} for i, row in enumerate(RECORDS)]
    assert corpus.records(tmp_path, "train", 99) == whole
    assert corpus.records(tmp_path, "train", 3) == whole[:3]


@pytest.mark.parametrize("characters", [1, 2, 7, 50])
def test_an_array_is_the_same_in_whatever_pieces_it_is_read(tmp_path, monkeypatch, characters):
    monkeypatch.setattr("sparsesum.corpus.reading.CHARACTERS", characters)
    rows = [{"text": f'{i} \u00e9\n"', "summary": "s", "n": [i, 1.5e3, True]} for i in range(30)]
    (tmp_path / "test.json").write_text(json.dumps(rows, indent=1))
    assert [r["text"] for r in corpus.records(tmp_path, "test", 99)] == [r["text"] for r in rows]


@pytest.mark.parametrize("ending", ["jsonl", "json", "csv", "jsonl.gz", "jsonl.zst"])
def test_no_more_is_read_than_is_asked_for(tmp_path, ending):
    """Past the first records a file may be broken, or have any size."""
    rows = [{"text": f"{i} " + random.Random(i).randbytes(30_000).hex(), "summary": "s"}
            for i in range(100)]  # fmt: skip
    content = {
        "jsonl": lines(rows),
        "json": json.dumps(rows).encode(),
        "csv": b"text,summary\n" + "".join(f"{row['text']},s\n" for row in rows).encode(),
    }[ending.split(".")[0]]
    if ending.endswith(".gz"):
        content = gzip.compress(content)
    elif ending.endswith(".zst"):
        content = pyarrow.compress(content, codec="zstd", asbytes=True)
    (tmp_path / f"train.{ending}").write_bytes(content[: len(content) * 2 // 3])
    assert [row["text"] for row in corpus.records(tmp_path, "train", 2)] == [
        row["text"] for row in rows[:2]
    ]
    assert f"train.{ending}" in fault(tmp_path, "train", 100)


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("test.csv", b'text,summary\na,"b\nc"\n\n"d', "test.csv, line 5: broken CSV: unexpected"),
        ("test.csv", b'text,summary\n"a"b,c\n', "line 2: broken CSV: ',' expected after"),
        ("test.csv", b"text,summary\na,b,c\n", "line 2: 3 cells, and the header has 2"),
        ("test.csv", b"text,summary,text\na,b,c\n", "line 1: two columns are called 'text'"),
        ("test.csv", b"text,summary\na,\n", "line 2: a record with a blank summary"),
        ("test.csv", b"text,summary\na\n", "line 2: a record without summary"),
        ("test.csv", b"text;summary\na;b\n", "line 2: a record without text; its columns are t"),
        ("test.csv", b"text,summary\n", "split 'test' has no records"),
        ("test.json", b'[{"text": "a", "summary": "b"}, {"te', "record 2: broken JSON: Untermin"),
        ("test.json", b'[{"text": "a", "summary": "b"},', "record 2: broken JSON: Expecting"),
        ("test.json", b'[{"text": "a", "summary": "b"}', "record 1: broken JSON: the file ends be"),
        ("test.json", b'[{"text": "a", "summary": "b"} 7]', "after record 1: broken JSON: no"),
        ("test.json", b'[{"text": "a", "summary": "b"}]{', "after record 1: broken JSON: no"),
        ("test.json", b'["a"]', "record 1: a record must be a JSON object"),
        ("test.json", b"[ ]\n", "split 'test' has no records"),
        ("test.json", b'{"data":\n [', "line 1: broken JSON"),
        ("test.jsonl.gz", b"no gzip", "test.jsonl.gz: cannot be read as gzip; fetch or"),
        ("test.jsonl.zst", b"no zstd", "cannot be read as zstd; fetch or pack it again"),
        ("test.arrow", b"no arrow", "test.arrow: no readable arrow file: "),
        ("test.xml", b"<a/>", "no split 'test'; allowed is test.jsonl,"),
    ],
)  # fmt: skip
def test_a_fault_in_a_format_is_named_with_its_place(tmp_path, name, content, said):
    (tmp_path / name).write_bytes(content)
    assert said in fault(tmp_path, "test")


def test_a_fault_in_a_large_array_is_said_before_the_rest_is_read(tmp_path, monkeypatch):
    rows = json.dumps([{"text": "x" * 1000, "summary": "s"}] * 500)
    (tmp_path / "test.json").write_text(f'[{{"text": 1x}}, {rows[1:]}')
    monkeypatch.setattr("sparsesum.corpus.reading.CHARACTERS", 1000)
    monkeypatch.setattr("sparsesum.corpus.reading._opened", opened := Counting())
    assert "record 1: broken JSON: Expecting ',' delimiter" in fault(tmp_path, "test")
    assert opened.read < 3000


class Counting:
    """Opens files, and counts the characters that are read of them."""

    def __init__(self) -> None:
        self.read = 0

    @contextlib.contextmanager
    def __call__(self, path: Path, newline: str | None = None):
        with path.open(newline=newline) as file:
            given = file.read

            def read(size: int) -> str:
                self.read += size
                return given(size)

            yield SimpleNamespace(read=read)


def test_several_configurations_are_told_apart(tmp_path):
    for number, name in enumerate(("1.0.0", "2.0.0", "3.0.0")):
        (tmp_path / name).mkdir()
        frame = pandas.DataFrame([record(number)])
        frame.to_parquet(tmp_path / name / "train-00000-of-00001.parquet")
    said = fault(tmp_path, "train")
    assert (
        "split 'train' is there in several folders, 1.0.0, 2.0.0, 3.0.0; set the corpus's" in said
    )
    assert corpus.records(tmp_path, "train", 9, "2.0.0")[0]["text"] == "Bill 1."
    with pytest.raises(
        InputError, match="no split 'train'; allowed is .* in 4/ or data/4/, .*there"
    ):
        corpus.records(tmp_path, "train", 9, "4")
