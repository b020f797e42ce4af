"""Whatever stands in a file or a setting: it is taken, or refused in one line, and nothing else."""

import contextlib
import copy
import csv
import io
import json
import math
import string
from pathlib import Path

import pyarrow.parquet
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sparsesum.base import files
from sparsesum.base.errors import InputError
from sparsesum.corpus import calibration, corpus, formats, prompt, texts, tokens
from sparsesum.corpus.surrogates import clean
from sparsesum.experiment import grid, patterns
from sparsesum.experiment.settings import validate

ROOT = Path(__file__).resolve().parents[2]
SCHEMA = ROOT / "workflow" / "schemas" / "config.schema.yaml"
CONFIG = ROOT / "config" / "config.yaml"
GRID = (ROOT / "config" / "grid.tsv").read_bytes()
MODELS = ["opt-125m-mini", "opt-350m-mini"]
ANY = st.text(st.characters(exclude_categories=()))
"""Any text, lone surrogates too."""


def fuzz(examples: int):
    """As many examples, the same in every run."""
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@contextlib.contextmanager
def taken_or_refused():
    """The only exception is an InputError, whose message is one line."""
    try:
        yield
    except InputError as error:
        assert str(error).isprintable() and 10 < len(str(error)) < 6000


def mutated(sound: bytes) -> st.SearchStrategy[bytes]:
    """Bytes that were sound: some replaced, some taken out, some put in."""
    odd = [b"\0", b"\t", b"\n", b'"', b"\xff", b"\xef\xbb\xbf", b"%", b":", b"..", b"9" * 5000]

    def change(changes):
        found = sound
        for where, length, new in changes:
            start = int(where * len(found))
            found = found[:start] + new + found[start + length :]
        return found

    place = st.floats(0, 1, exclude_max=True)
    new = st.sampled_from(odd) | st.binary(max_size=4)
    return st.lists(st.tuples(place, st.integers(0, 40), new), max_size=5).map(change)


FINETUNINGS = [grid.BASE, *grid.methods()]
CELLS = st.sampled_from([*MODELS, *FINETUNINGS, *grid.pruners(), "none", "50%", "2:4"]) | ANY
TABLES = st.lists(st.lists(CELLS, max_size=5).map("\t".join), max_size=6).map(
    lambda rows: "\n".join(["\t".join(grid.COLUMNS), *rows]).encode(errors="surrogatepass")
)


@fuzz(300)
@given(st.binary() | mutated(GRID) | TABLES)
def test_grids(tmp_path_factory, content):
    path = tmp_path_factory.getbasetemp() / "grid.tsv"
    path.write_bytes(content)
    with taken_or_refused():
        rows = grid.read(path, MODELS)
        assert rows and len({row.path for row in rows}) == len(rows)
        for row in rows:
            assert row.model in MODELS and row.finetuning in FINETUNINGS
            assert Path(row.path).parts == (row.model, row.checkpoint, row.finetuning)


@pytest.mark.long("thousands of examples")
@fuzz(300)
@given(
    st.from_regex(r"\s*\d+(\.\d+)?\s*%\s*", fullmatch=True)
    | st.from_regex(r"\d+:\d+", fullmatch=True)
    | st.text("0123456789:.%e- ")
    | st.builds("{}:{}".format, st.integers(0, 99), st.integers(0, 99))
    | st.builds("{}%".format, st.floats(0, 100))
    | ANY
)
def test_sparsity_patterns(text):
    with taken_or_refused():
        pattern = patterns.parse(text)
        assert 0 < pattern.ratio < 1
        assert patterns.named(pattern.name) == pattern
        assert set(pattern.name) <= set("0123456789.of")


SOUND = yaml.safe_load(CONFIG.read_text())
VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.builds(lambda: 10**5000)  # has no repr
    | st.floats()
    | ANY
    | st.sampled_from(["..", "../x", "", "a\nb", 3.0, math.nan, math.inf, [[]], {"a": {"b": []}}])
)
TREES = st.recursive(
    VALUES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY | st.integers(), inner)
)


def places(value: object, keys: tuple = ()) -> list[tuple]:
    """The keys of everything in a configuration."""
    inner = value.items() if isinstance(value, dict) else enumerate(value)
    found = []
    for key, item in inner:
        found.append((*keys, key))
        if isinstance(item, dict | list):
            found += places(item, (*keys, key))
    return found


@pytest.mark.long("300 configurations, each validated in full")
@fuzz(300)
@given(st.lists(st.tuples(st.sampled_from(places(SOUND)), TREES, ANY), min_size=1, max_size=3))
def test_configurations(changes):
    config = copy.deepcopy(SOUND)
    for keys, value, name in changes:
        with contextlib.suppress(KeyError, IndexError, TypeError):
            inner = config
            for key in keys[:-1]:
                inner = inner[key]
            if len(name) % 3 and isinstance(inner, dict):
                inner[name] = value  # a key more
            else:
                inner[keys[-1]] = value
    with taken_or_refused():
        validate(config, SCHEMA, [])
        # What is valid is usable: whole numbers where numbers are counted, and nothing endless.
        assert all(math.isfinite(n) for n in numbers(config))
        assert isinstance(config["qlora"]["rank"], int)
        assert config["corpus"] in config["corpora"]


def numbers(value: object) -> list[float]:
    if isinstance(value, dict | list):
        inner = value.values() if isinstance(value, dict) else value
        return [number for item in inner for number in numbers(item)]
    return [value] if isinstance(value, int | float) else []


def test_a_configuration_that_holds_itself():
    config = copy.deepcopy(SOUND)
    config["pruners"]["wanda"] = config["pruners"]
    with pytest.raises(InputError, match="nested deeper"):
        validate(config, SCHEMA, [CONFIG])


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | ANY,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(ANY, inner, max_size=3),
)
RECORD = st.fixed_dictionaries(
    {}, optional=dict.fromkeys(("text", "summary", "title", "bill_id"), ANY | JSON)
)
LINES = st.lists(RECORD | JSON, max_size=4).map(
    lambda values: "\n".join(map(json.dumps, values)).encode()
)
DEEP = st.sampled_from(
    [b"[" * 100_000, b'{"a":' * 100_000, b"9" * 5000, b'{"text": ' + b"9" * 5000]
)


def as_cells(rows: list[list[str]], delimiter: str = ",") -> bytes:
    file = io.StringIO(newline="")
    csv.writer(file, delimiter=delimiter).writerows(rows)
    return file.getvalue().encode(errors="surrogatepass")


def write(path: Path, content: bytes) -> None:
    """Content, packed as the path's ending says."""
    with pyarrow.output_stream(str(path), compression=formats.PACKED.get(path.suffix)) as file:
        file.write(content)


ARRAYS = st.lists(RECORD | JSON, max_size=4).map(lambda values: json.dumps(values).encode())
SHEETS = st.tuples(
    st.permutations(["text", "summary", "title", "bill_id", "other"]),
    st.lists(st.lists(ANY, max_size=6), max_size=4),
).map(lambda sheet: as_cells([sheet[0], *sheet[1]]))
CONTENTS = LINES | ARRAYS | SHEETS
COLUMNS = st.dictionaries(
    st.sampled_from(list(corpus.COLUMNS)), st.sampled_from(["text", "summary", "other"]) | ANY
)


@fuzz(500)
@given(
    st.binary() | CONTENTS | CONTENTS.flatmap(mutated) | DEEP,
    st.sampled_from(formats.ENDINGS),
    st.booleans(),
    st.fixed_dictionaries(
        {}, optional={"columns": COLUMNS, "incomplete": st.sampled_from(["refuse", "skip"])}
    ),
)
def test_records(tmp_path_factory, content, ending, sound, options):
    folder = tmp_path_factory.mktemp("records")
    path = folder / f"train{ending}"
    write(path, content) if sound else path.write_bytes(content)
    with taken_or_refused():
        for record in corpus.records(folder, "train", 3, **options):
            assert set(record) == {"id", "title", "text", "summary"}
            assert all(isinstance(value, str) for value in record.values())
            assert record["text"].strip() and record["summary"].strip()
            assert set(record["id"]) <= set(string.ascii_letters + string.digits + "._:-")
            assert 0 < len(record["id"]) <= 100


def tables(rows: list[dict], folder: Path) -> dict[str, bytes]:
    """Bytes of a Parquet file and of the two kinds of Arrow file."""
    table = pyarrow.Table.from_pylist(rows)
    pyarrow.parquet.write_table(table, folder / "parquet")
    kinds = {"stream": pyarrow.ipc.new_stream, "file": pyarrow.ipc.new_file}
    for name, new in kinds.items():
        with new(folder / name, table.schema) as file:
            file.write_table(table)
    return {name: (folder / name).read_bytes() for name in ("parquet", *kinds)}


@fuzz(400)
@given(data=st.data(), name=st.sampled_from(["parquet", "stream", "file"]))
def test_records_of_tables(tmp_path_factory, data, name):
    folder = tmp_path_factory.mktemp("tables")
    sound = tables(
        [{"text": f"a{i}", "summary": ["b", "c"], "number": i} for i in range(3)], folder
    )
    path = folder / ("train.parquet" if name == "parquet" else "train.arrow")
    path.write_bytes(data.draw(mutated(sound[name])))
    with taken_or_refused():
        assert all(isinstance(r["text"], str) for r in corpus.records(folder, "train", 3))


NO_SURROGATES = st.text(st.characters(exclude_categories=("Cs",)))
FULL = st.builds("{}x{}".format, NO_SURROGATES | st.text('\r\n\t",; '), NO_SURROGATES)
LONG = st.builds(str.__mul__, st.sampled_from(["x", '"', "\n", "é,"]), st.integers(1, 200_000))


@pytest.mark.long("many examples, each written in every format")
@fuzz(30)
@given(st.lists(st.tuples(FULL | LONG.map("x{}".format), FULL), min_size=1, max_size=5))
def test_the_same_records_whatever_the_format(tmp_path_factory, pairs):
    rows = [{"text": text, "summary": summary} for text, summary in pairs]
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows).encode()
    header = [["text", "summary"]]
    made = tables(rows, tmp_path_factory.getbasetemp())
    folder = tmp_path_factory.mktemp("same")
    contents = {
        ".jsonl": [lines, b"\xef\xbb\xbf" + lines, json.dumps(rows).encode()],
        ".json": [lines, json.dumps(rows, indent=1).encode()],
        ".csv": [as_cells(header + pairs), b"\xef\xbb\xbf" + as_cells(header + pairs)],
        ".tsv": [as_cells(header + pairs, "\t")],
        ".parquet": [made["parquet"]],
        ".arrow": [made["stream"], made["file"]],
    }
    for ending in formats.ENDINGS:
        for content in contents["." + ending.split(".")[1]]:
            write(folder / f"train{ending}", content)
            found = corpus.records(folder, "train", 9)
            (folder / f"train{ending}").unlink()
            assert [{key: row[key] for key in ("text", "summary")} for row in found] == rows, ending


@fuzz(300)
@given(
    st.binary() | CONTENTS | CONTENTS.flatmap(mutated) | DEEP,
    st.sampled_from([*formats.ENDINGS, ".txt"]),
    st.integers(0, 3),
)
def test_calibration_texts(tmp_path_factory, content, ending, missing):
    path = tmp_path_factory.getbasetemp() / f"t{ending}"
    write(path, content)
    path.write_bytes(path.read_bytes()[: -missing or None])
    with taken_or_refused():
        found = calibration.read_texts(path)
        assert found and all(text.encode() for text in found if text)


@fuzz(200)
@given(st.lists(st.dictionaries(ANY, ANY | st.integers() | st.booleans(), max_size=4), max_size=5))
def test_json_lines_come_back_as_they_were(tmp_path_factory, records):
    path = tmp_path_factory.getbasetemp() / "r.jsonl"
    files.write_jsonl(path, records)
    assert files.read_jsonl(path) == records
    assert path.read_bytes().isascii() and path.read_bytes().count(b"\n") == len(records)


@fuzz(200)
@given(
    ANY | st.text("ab \n</s>#", max_size=400),
    ANY | st.text("ab \n</s>#", max_size=200),
    st.integers(1, 40),
    st.integers(1, 20),
    st.builds(prompt.Prompt, ANY.map(clean), ANY.map(clean), st.from_regex(r"\S")),
)
def test_tokens(tokenizer, text, summary, text_tokens, summary_tokens, other):
    for template in (prompt.PAPER, other):
        record = {"id": "x", "text": text, "summary": summary}
        columns = tokens.tokenise(tokenizer, [record], text_tokens, summary_tokens, template)
        (ids,), (start,) = columns["input_ids"], columns["summary_start"]
        (asked,), (reference,) = columns["prompt_ids"], columns["reference"]
        assert ids[0] == asked[0] == 2
        assert 0 < start < len(ids)
        whole = clean(text)
        read = texts.first_ids(tokenizer, whole, text_tokens)
        # A cut inside a character leaves up to three bytes of it, each shown as a "\ufffd".
        frame = len(tokenizer.encode(template.before + template.after).ids)
        assert len(asked) <= frame + 3 * len(read) + 20
        assert len(texts.first_ids(tokenizer, reference, 999)) <= 3 * summary_tokens + 20
        shown = prompt.inference_prompt(tokens.truncate(tokenizer, whole, text_tokens), template)
        begun = tokenizer.decode(ids[:start], skip_special_tokens=False).removeprefix("</s>")
        before = tokenizer.decode(ids[: start - 1], skip_special_tokens=False).removeprefix("</s>")
        # A token across the seam counts as the prompt's.
        assert begun.startswith(shown) and shown.startswith(before.rstrip("\ufffd"))


@fuzz(300)
@given(ANY, ANY, st.builds(prompt.Prompt, ANY, ANY, st.text(min_size=1)))
def test_prompts_and_predictions(text, generated, template):
    assert prompt.source_text(prompt.inference_prompt(text, template), template) == text
    found = prompt.prediction(generated, template)
    assert found in generated and found == found.strip() and template.stop not in found
    assert prompt.prediction(f"{found}\n\n{template.stop}{text}", template) == (
        f"{found}\n\n{template.stop}".split(template.stop, 1)[0].strip()
    )


@fuzz(200)
@given(ANY, st.integers(0, 3000))
def test_messages_are_one_line(text, times):
    said = str(InputError(f"{text * times}what to do"))
    assert said.isprintable() and said.endswith("what to do") and len(said) < 11_000
