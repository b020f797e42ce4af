"""Summaries of texts of one's own: a row writes what it wrote of the same bill in its corpus."""

import shutil
from pathlib import Path

import pytest

from sparsesum.base import files
from sparsesum.corpus.bills import bills
from tests.workflow.project import Project

ROWS = ["tiny-pre/dense/base", "tiny-pre/wanda_2of4/qlora", "tiny-post/wanda_50/full"]
TOLD = ["--config", "bill=first.txt,long.txt", f"rows={','.join(ROWS)}"]
PAGES = {f"results/summaries/{name}.{kind}" for name in ("first", "long") for kind in
         ("html", "md", "txt")}  # fmt: skip


def made(name: str, rows: list[str] = ROWS) -> set[str]:
    """The outputs of one text but for records: each row's summary, and the pages."""
    pages = {path for path in PAGES if path.startswith(f"results/summaries/{name}.")}
    return pages | {f"results/summaries/bills/{row}/{name}.json" for row in rows}


def corpus(project: Project) -> list[dict]:
    return files.read_jsonl(project.folder / "results/corpus/bills/test.jsonl")


@pytest.fixture(scope="module")
def summarised(finished, tmp_path_factory) -> Project:
    """A copy of the finished project with summaries of two texts, one of them of its corpus."""
    folder = tmp_path_factory.mktemp("summarised") / "p"
    shutil.copytree(finished.folder, folder)
    project = Project.of(folder, finished.models)
    own = corpus(project)
    (folder / "first.txt").write_text(own[0]["text"], encoding="utf-8")
    longer = "\n\n".join(bill.record()["text"] for bill in bills("us", 8, 3))
    (folder / "long.txt").write_text(longer, encoding="utf-8")
    done = project.snakemake("summaries", *TOLD)
    assert done.returncode == 0, done.stdout[-5000:]
    project.output = done.stdout
    return project


def record(project: Project, row: str, name: str) -> dict:
    return files.read_json(project.folder / f"results/summaries/bills/{row}/{name}.json")


@pytest.mark.parametrize("row", ROWS)
def test_a_bill_of_the_corpus_is_summarised_as_the_row_did(summarised, row):
    own = files.read_jsonl(summarised.folder / f"results/generate/bills/{row}/test.jsonl")[0]
    found = record(summarised, row, "first")
    same = ("prompt_tokens", "tokens", "cut_off", "prediction")
    assert {key: found[key] for key in same} == {key: own[key] for key in same}
    assert found["seconds"] > 0 and found["prediction"] != record(summarised, row, "long")


def test_rows_do_not_all_write_the_same(summarised):
    assert len({record(summarised, row, "first")["prediction"] for row in ROWS}) > 1


def test_of_a_long_text_the_share_that_was_read_is_said(summarised):
    text = (summarised.folder / "long.txt").read_text(encoding="utf-8")
    for row in ROWS:
        assert 0 < record(summarised, row, "long")["read"] < 0.5
    said = (summarised.folder / "results/summaries/long.txt").read_text(encoding="utf-8")
    assert f"{len(text):,} characters" in said and "The text is cut" in said


def test_the_terminal_and_the_page_have_each_row_in_the_order_asked_for(summarised):
    for name in ("first", "long"):
        said = (summarised.folder / f"results/summaries/{name}.txt").read_text(encoding="utf-8")
        assert said in summarised.output
        assert f"On a page: results/summaries/{name}.html" in summarised.output
        page = (summarised.folder / f"results/summaries/{name}.html").read_text(encoding="utf-8")
        for text, cell in ((said, "\n{}: "), (page, '<td style="text-align:left">{}</td>')):
            places = [text.index(cell.format(row)) for row in ROWS]
            assert places == sorted(places)


def test_another_text_reruns_its_own_summaries_and_no_setting_reruns_anything(summarised, tmp_path):
    shutil.copytree(summarised.folder, tmp_path / "p")
    project = Project.of(tmp_path / "p", summarised.models)
    assert project.planned("all", "summaries", *TOLD) == set()
    assert project.planned("all") == set()
    with (project.folder / "long.txt").open("a", encoding="utf-8") as file:
        file.write("One more section.\n")
    assert project.planned("all", "summaries", *TOLD) == made("long")


def test_by_default_every_row_of_the_grid_summarises(summarised):
    grid = [path.parent for path in (summarised.folder / "results/generate").rglob("costs.json")]
    rows = {path.relative_to(summarised.folder / "results/generate/bills") for path in grid}
    assert len(rows) == 6
    planned = summarised.planned("all", "summaries", "--config", "bill=first.txt")
    pages = {path for path in made("first") if path in PAGES}
    new = {f"results/summaries/bills/{row}/first.json" for row in map(str, rows) if row not in ROWS}
    assert planned == pages | new


def test_a_row_that_the_grid_lacks_is_made(summarised):
    told = ["--config", "bill=first.txt", "rows=tiny-post/magnitude_50/qlora"]
    planned = summarised.planned("all", "summaries", *told)
    assert made("first", ["tiny-post/magnitude_50/qlora"]) < planned
    row = "bills/tiny-post/magnitude_50"
    for stage in ("prune", "qlora"):
        assert any(path.startswith(f"results/{stage}/{row}/") for path in planned), stage
    assert not [path for path in planned if path not in PAGES and row not in path]


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("bill=none.txt", "key 'bill': none.txt: no such file"),
        ("bill=results", "key 'bill': results: no such file"),
        ("bill=blank.txt", "key 'bill': blank.txt: blank"),
        ("bill=binary.txt", "key 'bill': binary.txt: binary"),
        ("bill=latin.txt", "key 'bill': latin.txt: no text in UTF-8"),
        ("bill=first.txt,other/first.md", "first.txt and other/first.md have the same name"),
        ("bill=my bill.txt", "my bill.txt: its summaries cannot be called 'my bill'"),
        ("bill=2024", "key 'bill': 2024 is not of type"),
        ("rows=tiny-pre/dense", "no row 'tiny-pre/dense'; allowed: MODEL/VARIANT/FINETUNING"),
        ("rows=tiny-pre/wnda_50/base", "no row 'tiny-pre/wnda_50/base'; allowed:"),
        ("rows=opt/dense/base", "tiny-post, tiny-pre; VARIANT: dense, a pruner (magnitude,"),
        ("rows=tiny-pre/dense/lora", "FINETUNING: base, full, qlora, sparse_qlora, qlora_on_dense"),
        ("rows=tiny-pre/wanda_4of2/base", "rows': tiny-pre/wanda_4of2/base: sparsity '4:2' is no"),
        ("rows=tiny-pre/layers_0/base", "rows': tiny-pre/layers_0/base: shrink 'layers_0%': all"),
    ],
)
def test_what_cannot_be_is_refused_in_one_line_before_any_job(summarised, told, said):
    folder: Path = summarised.folder
    (folder / "other").mkdir(exist_ok=True)
    for name, raw in (
        ("blank.txt", b" \n\n"),
        ("binary.txt", b"\x7fELF\0\0"),
        ("latin.txt", "Español".encode("latin-1")),
        ("my bill.txt", b"An act."),
        ("other/first.md", b"An act."),
    ):
        (folder / name).write_bytes(raw)
    bill = [] if told.startswith("bill=") else ["bill=first.txt"]
    done = summarised.snakemake("summaries", "--config", told, *bill)
    assert done.returncode != 0
    lines = [line for line in done.stdout.splitlines() if said in line]
    assert len(lines) == 1, done.stdout[-2000:]
    assert "Traceback" not in done.stdout and "Job " not in done.stdout


def test_without_a_text_the_target_says_which_key_names_one(summarised):
    done = summarised.snakemake("summaries", "--dry-run")
    assert done.returncode != 0
    assert "key 'bill': null, so that there is nothing to summarise" in done.stdout
