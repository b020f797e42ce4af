"""Corpora from a folder: what is read, and the faults that are named."""

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
import yaml

from sparsesum import corpus, download, files
from sparsesum.errors import InputError

ROOT = Path(__file__).resolve().parents[2]


def record(number: int) -> dict:
    return {"text": f"Bill {number}.", "summary": f"Summary {number}.", "title": f"Title {number}"}


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


def fault(folder: Path, split: str, count: int = 9, **options) -> str:
    with pytest.raises(InputError) as caught:
        corpus.records(folder, split, count, **options)
    assert "\n" not in str(caught.value)
    return str(caught.value)


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


def lines(rows: list[dict], end: str = "\n") -> bytes:
    return "".join(json.dumps(row, ensure_ascii=False) + end for row in rows).encode()


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


def write(name: str, content: bytes) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    Path(name).write_bytes(content)


def parquet(name: str, rows: list[dict]) -> None:
    Path(name).parent.mkdir(parents=True, exist_ok=True)
    pandas.DataFrame(rows).to_parquet(name)


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
    monkeypatch.setattr("sparsesum.rows.CHARACTERS", characters)
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
    monkeypatch.setattr("sparsesum.rows.CHARACTERS", 1000)
    monkeypatch.setattr("sparsesum.rows._opened", opened := Counting())
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
    files.write_jsonl(tmp_path / "train.jsonl", [{"text": "a", "sumary": "b"}] * 3)
    said = fault(tmp_path, "train", incomplete="skip")
    assert "split 'train' has no complete record; the first is " in said
    assert "a record without summary; its columns are text, sumary; name one by" in said


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
