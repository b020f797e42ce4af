"""Corpora from a folder: what is read, and the faults that are named."""

import json
from pathlib import Path

import pandas
import pytest
from corpora import fault, record

from sparsesum.base import files
from sparsesum.corpus import corpus

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    files.write_jsonl(tmp_path / "train.jsonl", map(record, range(5)))
    return tmp_path


def test_the_first_records_of_a_split(folder):
    found = corpus.records(folder, "train", 2)
    assert found == [{"id": f"train-{i}", **record(i)} for i in range(2)]


def test_bill_ids_are_kept_and_a_missing_title_is_blank(tmp_path):
    bill = {"bill_id": "107_hr1", "text": "t", "summary": "s"}
    files.write_jsonl(tmp_path / "test.jsonl", [bill])
    assert corpus.records(tmp_path, "test", 1) == [
        {"id": "107_hr1", "title": "", "text": "t", "summary": "s"}
    ]


@pytest.mark.parametrize("own", ["107_hr2256", "a-1", "hr:7.b"])
def test_an_id_that_is_a_plain_word_is_kept(tmp_path, own):
    files.write_jsonl(tmp_path / "test.jsonl", [{"bill_id": own, "text": "t", "summary": "s"}])
    assert corpus.records(tmp_path, "test", 1)[0]["id"] == own


@pytest.mark.parametrize(
    "own",
    ["107", 107, "1e5", "NA", "nan", "", "=1+1", "-a1", "../a1", "a1\n", "a1\x1b", "a1 b", "é1"]
    + ["\ud8001a", "a1,b", "a1|b", "a1" * 51, None, ["a1"], True],
)
def test_an_id_that_a_table_might_misread_is_replaced(tmp_path, caplog, own):
    files.write_jsonl(tmp_path / "test.jsonl", [{"bill_id": own, "text": "t", "summary": "s"}])
    assert corpus.records(tmp_path, "test", 1)[0]["id"] == "test-0"
    assert ("1 of 1 bill_ids are no plain words" in caplog.text) == isinstance(own, str | int)


def test_no_two_bills_have_one_id(tmp_path, caplog):
    given = ["hr1", "hr1", "test-3", None]
    bills = [{"bill_id": own, "text": "t", "summary": "s"} for own in given]
    files.write_jsonl(tmp_path / "test.jsonl", bills)
    found = [bill["id"] for bill in corpus.records(tmp_path, "test", 4)]
    assert found == ["hr1", "test-1", "test-3", "test-4"]
    assert "1 of 4 bill_ids" in caplog.text


@pytest.mark.parametrize("name", ["train.parquet", "data/train-00000-of-00001.parquet"])
def test_parquet_as_the_hub_has_it(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    pandas.DataFrame([record(i) for i in range(3)]).to_parquet(path)
    assert corpus.records(tmp_path, "train", 3)[2] == {"id": "train-2", **record(2)}


def test_shards_are_read_in_order(tmp_path):
    for shard in (1, 0):
        pandas.DataFrame([record(shard)]).to_parquet(tmp_path / f"train-0000{shard}-of-2.parquet")
    assert [row["text"] for row in corpus.records(tmp_path, "train", 2)] == ["Bill 0.", "Bill 1."]


@pytest.mark.parametrize("ending", ["", "_data_final_OFFICIAL"])
def test_the_first_releases_names_are_found(tmp_path, ending):
    for number, name in enumerate(("us_train", "us_test", "ca_test")):
        files.write_jsonl(tmp_path / f"{name}{ending}.jsonl", [record(number)])
    for number, name in enumerate(("train", "test", "ca_test")):
        assert corpus.records(tmp_path, name, 9)[0]["text"] == f"Bill {number}."


def test_fewer_records_than_asked_for_are_all_taken_and_said(folder, caplog):
    assert len(corpus.records(folder, "train", 9)) == 5
    assert "9 records asked for" in caplog.text


def test_any_text_passes(tmp_path):
    odd = "<b>&amp;\x00\x07 \ud800 é " + "x" * 100_000
    files.write_jsonl(tmp_path / "test.jsonl", [{"text": odd, "summary": "s"}, record(1)])
    assert corpus.records(tmp_path, "test", 1)[0]["text"] == odd


def test_a_missing_split_is_named_with_what_is_there(folder):
    said = fault(folder, "ca_test")
    assert f"{folder}: no split 'ca_test'; allowed is ca_test.jsonl, ca_test-*.jsonl or" in said
    assert ".parquet, .json, .csv, .tsv, .arrow, the text formats also with .gz, .bz2, .zst" in said
    assert said.endswith("there is train.jsonl")


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('{"text": "a", "summary": "b"', "broken JSON"),
        ('{"summary": "b"}', "a record without text"),
        ('{"text": "a", "summary": null}', "a record without summary"),
        ('{"text": 7, "summary": "b"}', "text is of type int; allowed is a text, or a list of"),
        ('{"text": ["a", 7], "summary": "b"}', "text is of type list; allowed is a text, or a"),
        ('{"text": "a", "summary": NaN}', "a record without summary"),
        ('{"text": "a", "summary": ""}', "a record with a blank summary; set the corpus's key"),
        ('{"text": " \\n\\u3000", "summary": "b"}', "a record with a blank text"),
        ('{"text": [], "summary": "b"}', "a record with a blank text"),
        ('["a", "b"]', "a record must be a JSON object"),
    ],
)
def test_a_broken_record_is_named_with_file_and_line(tmp_path, line, said):
    path = tmp_path / "test.jsonl"
    path.write_text(json.dumps(record(0)) + f"\n\n{line}\n")
    assert fault(tmp_path, "test").startswith(f"{path}, line 3: {said}")


def test_a_parquet_file_that_is_none(tmp_path):
    (tmp_path / "test.parquet").write_text("no parquet")
    assert "test.parquet: no readable parquet file" in fault(tmp_path, "test")


def test_a_parquet_record_without_text(tmp_path):
    pandas.DataFrame([record(0), {"summary": "x"}]).to_parquet(tmp_path / "test.parquet")
    assert "test.parquet, row 1: a record without text" in fault(tmp_path, "test")


def test_an_empty_split(tmp_path):
    (tmp_path / "test.jsonl").write_text("")
    assert "has no records" in fault(tmp_path, "test")


def test_real_bills(shared):
    found = corpus.records(shared / "billsum", "train", 110)
    assert len(found) == 110
    assert found[0]["id"] == "107_hr2256"
