"""Scores of examples, read from one file or from several of the same examples."""

import json
import subprocess
import sys
from pathlib import Path

import families
import pandas
import pytest

from sparsesum.base.errors import InputError
from sparsesum.scoring import example_scores


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    path = tmp_path / "qlora.csv"
    path.write_text(
        "split,id,rougeLsum,blank,cut_off\nvalidation,1,0.25,False,True\ntest,01,0,True,False\n"
    )
    return path


def test_scores_are_numbers_and_ids_are_texts(scored):
    found = example_scores.read(scored)
    assert list(found.columns) == ["split", "id", "rougeLsum", "blank", "cut_off"]
    assert list(found["id"]) == ["1", "01"]
    assert found.iloc[0, 2:].tolist() == [0.25, 0.0, 1.0]
    assert set(map(str, found.dtypes[2:])) == {"float64"}


def test_several_files_are_one_table(scored, tmp_path):
    (tmp_path / "more.csv").write_text("split,id,fact_f1\nvalidation,1,0.5\ntest,01,\n")
    found = example_scores.read(scored, tmp_path / "more.csv")
    assert list(found.columns)[2:] == ["rougeLsum", "blank", "cut_off", "fact_f1"]
    assert found["fact_f1"][0] == 0.5 and pandas.isna(found["fact_f1"][1])


@pytest.mark.parametrize("lines", ["test,01,1\nvalidation,1,1\n", "validation,1,1\n"])
def test_files_of_other_examples_are_refused(scored, tmp_path, lines):
    (tmp_path / "more.csv").write_text("split,id,fact_f1\n" + lines)
    with pytest.raises(InputError, match="more.csv: not the examples of .*qlora.csv; delete both"):
        example_scores.read(scored, tmp_path / "more.csv")


JOB = """
import json, sys
from types import SimpleNamespace
from sparsesum.jobs.job import job
import examples
sys.argv[1:] = map(json.loads, sys.argv[1:])
settings = SimpleNamespace(**sys.argv[1])
class Files(dict):
    manifest = []
given, log, output = Files(sys.argv[2]), *sys.argv[3]
with job("examples", log, output):
    examples.main(
        SimpleNamespace(params=settings, input=given, output=[output]), SimpleNamespace()
    )
"""


def scored_by(encoder: Path, tmp_path: Path, layer: int = 2) -> tuple[int, str, Path]:
    """Script examples.py in a process of its own: exit code, what it said, and its output."""
    record = {"id": "1", "prediction": "a tax on farms", "reference": "a tax", "cut_off": False}
    for split in ("validation", "test"):
        (tmp_path / f"{split}.jsonl").write_text(json.dumps(record) + "\n")
    settings = {"encoder": str(encoder), "sha256": None, "layer": layer, "batch_size": 2}
    settings |= {"device": "cpu", "threads": 1}
    given = {split: str(tmp_path / f"{split}.jsonl") for split in ("validation", "test")}
    files = [str(tmp_path / "log"), str(tmp_path / "out.csv")]
    done = subprocess.run(
        [sys.executable, "-c", JOB, *map(json.dumps, (settings, given, files))],
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr, tmp_path / "out.csv"


@pytest.mark.long("a true job, with all its imports")
def test_the_script_scores_with_an_encoder_of_another_family(tmp_path: Path):
    code, said, output = scored_by(families.save("distilbert", tmp_path / "encoder"), tmp_path)
    assert code == 0, said
    assert 0 < example_scores.read(output)["bertscore"][0] < 1


@pytest.mark.long("a true job, with all its imports")
def test_the_script_tells_of_an_encoder_that_is_none_in_one_line(tmp_path: Path):
    folder = families.save("gpt2", tmp_path / "encoder")
    code, said, output = scored_by(folder, tmp_path)
    assert code == 1 and not output.exists() and "Traceback" not in said
    (line,) = (line for line in said.splitlines() if "error:" in line)
    assert line.startswith(f"examples: error: {folder} (gpt2): a decoder: its tokens do not see")
