"""The calibration set, from the train split or from texts of its own."""

import gzip
import json
import random

import pandas
import pyarrow
import pytest

from sparsesum.base.errors import InputError
from sparsesum.corpus import calibration

TEXTS = ["a" * 5, "b" * 40, "c" * 9, "d" * 25]


def encode(text: str) -> list[int]:
    return [2, *range(100, 100 + len(text))]


def test_windows_are_the_references_own():
    """The reference loader, word for word: one generator, first the text, then the start."""
    random.seed(3)
    expected = []
    for _ in range(40):  # enough to draw the text of just 10 tokens, which is too short
        while True:
            i = random.randint(0, len(TEXTS) - 1)
            ids = encode(TEXTS[i])
            if len(ids) > 10:
                break
        start = random.randint(0, len(ids) - 10 - 1)
        expected.append(ids[start : start + 10])
    assert calibration.windows(TEXTS, encode, 40, 10, 3) == expected


def test_texts_too_short_are_an_error_and_no_endless_search():
    with pytest.raises(InputError, match="more than 50 tokens"):
        calibration.windows(TEXTS, encode, 1, 50, 0)


def test_texts_are_read_from_json_lines_packed_or_not(tmp_path):
    lines = "".join(json.dumps({"text": text, "url": "x"}) + "\n" for text in TEXTS)
    (tmp_path / "a.jsonl").write_text(lines)
    with gzip.open(tmp_path / "c4-train.00000-of-01024.json.gz", "wt") as file:
        file.write(lines)
    (tmp_path / "book.txt").write_text("one text\nof two lines\n")
    assert calibration.read_texts(tmp_path / "a.jsonl") == TEXTS
    assert calibration.read_texts(tmp_path / "c4-train.00000-of-01024.json.gz") == TEXTS
    assert calibration.read_texts(tmp_path / "book.txt") == ["one text\nof two lines\n"]


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("a.jsonl", '{"text": "x"}\n{"txt": 1}\n', "a.jsonl, line 2: a record without a text"),
        ("a.jsonl", "{\n", "line 1"),
        ("a.xml", "text\n", "allowed are .txt, .jsonl"),
        ("a.csv", "text\n", "no texts"),
        ("a.jsonl", "", "no texts"),
    ],
)
def test_a_fault_names_the_file_and_the_line(tmp_path, name, content, said):
    (tmp_path / name).write_text(content)
    with pytest.raises(InputError, match=said):
        calibration.read_texts(tmp_path / name)


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match="no such file"):
        calibration.read_texts(tmp_path / "c4.jsonl")


def test_a_byte_order_mark_is_no_text(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n', encoding="utf-8-sig")
    (tmp_path / "a.txt").write_text("x", encoding="utf-8-sig")
    assert calibration.read_texts(tmp_path / "a.jsonl") == ["x"]
    assert calibration.read_texts(tmp_path / "a.txt") == ["x"]


def test_a_blank_line_is_no_record(tmp_path):
    (tmp_path / "a.jsonl").write_text('{"text": "x"}\n\n{"text": "y"}\n\n')
    assert calibration.read_texts(tmp_path / "a.jsonl") == ["x", "y"]


def test_texts_are_read_in_the_formats_that_they_are_handed_out_in(tmp_path):
    lines = "".join(json.dumps({"text": text}) + "\n" for text in TEXTS).encode()
    packed = pyarrow.compress(lines, codec="zstd", asbytes=True)
    (tmp_path / "pile.jsonl.zst").write_bytes(packed)
    (tmp_path / "c4.json.gz").write_bytes(gzip.compress(lines[:50]) + gzip.compress(lines[50:]))
    pandas.DataFrame({"text": TEXTS}).to_parquet(tmp_path / "wikitext.parquet")
    for name in ("pile.jsonl.zst", "c4.json.gz", "wikitext.parquet"):
        assert calibration.read_texts(tmp_path / name) == TEXTS, name
