"""Corpora with columns of their own, and records of which a part is missing."""

from pathlib import Path

import pandas
import pytest
import yaml
from corpora import fault

from sparsesum.base import files
from sparsesum.corpus import corpus, download

ROOT = Path(__file__).resolve().parents[2]
ARTICLE = {"article": "An article.", "highlights": "A highlight.", "id": "a1", "headline": "News"}
COLUMNS = {"text": "article", "summary": "highlights", "id": "id", "title": "headline"}


@pytest.mark.parametrize("name", ["train.jsonl", "train.parquet", "train.csv"])
def test_a_corpus_names_its_columns(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    frame = pandas.DataFrame([ARTICLE])
    if name.endswith("jsonl"):
        frame.to_json(name, orient="records", lines=True)
    else:
        getattr(frame, {"train.csv": "to_csv"}.get(name, "to_parquet"))(name)
    whole = {"id": "a1", "title": "News", "text": "An article.", "summary": "A highlight."}
    assert corpus.records(tmp_path, "train", 9, columns=COLUMNS) == [whole]
    some = {key: COLUMNS[key] for key in ("text", "summary", "id")}
    assert corpus.records(tmp_path, "train", 9, columns=some) == [whole | {"title": ""}]
    for key in COLUMNS:
        said = fault(tmp_path, "train", columns=COLUMNS | {key: "missing"})
        assert name in said and "missing" in said and f"key columns.{key}" in said
        assert ", ".join(ARTICLE) in said


def test_a_list_of_texts_is_one_text_of_its_lines(tmp_path, monkeypatch):
    """arXiv's articles are lists of sentences, or of sections."""
    monkeypatch.chdir(tmp_path)
    row = {"text": ["One.", "Two."], "summary": "s"}
    pandas.DataFrame([row]).to_parquet("train.parquet")
    files.write_jsonl("test.jsonl", [row])
    for split in ("train", "test"):
        assert corpus.records(tmp_path, split, 1)[0]["text"] == "One.\nTwo."


GAPS = [
    {"text": "a", "summary": None},
    {"text": "a", "summary": "kept 1"},
    {"text": " \n", "summary": "b"},
    {"text": "a", "summary": ""},
    {"text": None, "summary": None},
    {"text": "a", "summary": "kept 2"},
    {"text": "a", "summary": ""},
    {"text": "a", "summary": "kept 3"},
]


@pytest.mark.parametrize("name", ["train.jsonl", "train.parquet"])
def test_incomplete_records_are_left_out_and_counted_if_wanted(tmp_path, caplog, name):
    path = tmp_path / name
    if name.endswith("jsonl"):
        files.write_jsonl(path, GAPS)
    else:
        pandas.DataFrame(GAPS).to_parquet(path)
    assert "a record without summary" in fault(tmp_path, "train")
    found = corpus.records(tmp_path, "train", 2, incomplete="skip")
    assert [(row["id"], row["summary"]) for row in found] == [
        ("train-0", "kept 1"),
        ("train-1", "kept 2"),
    ]
    assert caplog.messages == [
        "train: 4 records left out: 1 without summary, 1 with a blank text, 1 with a blank "
        f"summary, 1 without text; the first is {path}, " + ("line 1" if "l" in path.suffix[-1]
        else "row 0")
    ]  # fmt: skip
    caplog.clear()
    assert len(corpus.records(tmp_path, "train", 9, incomplete="skip")) == 3
    assert "9 records asked for" in caplog.messages[1]


def test_what_is_missing_in_a_csv_file_is_an_empty_cell_and_no_word_for_it(tmp_path):
    rows = "".join(f"a,{word}\n" for word in ("NA", "null", "None", "nan", "", "#N/A", "-"))
    (tmp_path / "train.csv").write_text(f"text,summary\n{rows}")
    found = corpus.records(tmp_path, "train", 9, incomplete="skip")
    assert [row["summary"] for row in found] == ["NA", "null", "None", "nan", "#N/A", "-"]


def test_no_complete_record_at_all_is_an_error_that_names_the_columns(tmp_path):
    files.write_jsonl(tmp_path / "train.jsonl", [{"text": "a", "gist": "b"}] * 3)
    said = fault(tmp_path, "train", incomplete="skip")
    assert "split 'train' has no complete record; the first is " in said
    assert "a record without summary; its columns are text, gist; name one by" in said


def test_wrong_types_are_refused_even_where_gaps_are_left_out(tmp_path):
    files.write_jsonl(tmp_path / "train.jsonl", [{"text": {"a": 1}, "summary": "b"}])
    assert "text is of type dict" in fault(tmp_path, "train", incomplete="skip")


def test_cnn_dailymail_as_the_hub_has_it(tmp_path):
    """One of its three configurations is fetched, and read by the columns of the overlay."""
    entry = yaml.safe_load((ROOT / "config" / "cnn_dailymail.yaml").read_text())
    entry = entry["corpora"]["cnn_dailymail"]
    there = ["README.md", *(
        f"{version}/{name}.parquet"
        for version in ("1.0.0", "2.0.0", "3.0.0")
        for name in (*(f"train-0000{i}-of-00003" for i in range(3)), "validation-00000-of-00001",
                     "test-00000-of-00001")
    )]  # fmt: skip
    wanted = [split["from"] for split in entry["splits"].values()]
    chosen = download.choose("corpus", there, wanted, configuration=entry["configuration"])
    assert chosen == sorted(name for name in there if name.startswith("3.0.0/"))
    for number, name in enumerate(there[1:]):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        article = {
            "article": f"Article {number}.",
            "highlights": "One .\nTwo .",
            "id": f"{number}af",
        }
        pandas.DataFrame([article]).to_parquet(tmp_path / name)
    options = {key: entry[key] for key in ("configuration", "columns")}
    found = corpus.records(tmp_path, "train", 9, **options)
    assert found == [
        {"id": f"{i}af", "title": "", "text": f"Article {i}.", "summary": "One .\nTwo ."}
        for i in (10, 11, 12)
    ]
    assert corpus.records(tmp_path, "validation", 9, **options)[0]["id"] == "13af"
