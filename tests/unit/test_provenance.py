"""Records of what made an artifact, and what is told when it is no longer so."""

import json
import os
import platform
import subprocess
from importlib.metadata import version
from pathlib import Path

import pytest

from sparsesum.base import files
from sparsesum.base.errors import InputError
from sparsesum.jobs import provenance, verification
from sparsesum.pages import lineage


@pytest.fixture(autouse=True)
def chain(tmp_path, monkeypatch) -> Path:
    """Bills -> a model, a folder -> a table, a file: made by two jobs. Paths are relative."""
    monkeypatch.chdir(tmp_path)
    Path("bills.jsonl").write_text("bills")
    Path("train.py").write_text("code")
    made("results/model/provenance.json", {"results/model/weights": "0.5"}, ["bills.jsonl"])
    Path("results/model/extra.json").write_text("{}")
    made("results/model/provenance.json", {"results/model/weights": "0.5"}, ["bills.jsonl"])
    made("results/table.provenance.json", {"results/table.csv": "1"}, ["results/model/weights"])
    return tmp_path


def made(record: str, outputs: dict[str, str], inputs: list[str], **params) -> None:
    """What a job does."""
    job = provenance.begin("train", {"model": "m"}, params, [*inputs, "train.py"])
    for path, content in outputs.items():
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(content)
    job.device = "an abacus"
    job.write(record, outputs)


def test_a_record_says_what_made_the_artifact():
    made("results/a.provenance.json", {"results/a": "x"}, ["bills.jsonl"], settings={"seed": 7})
    record = files.read_json("results/a.provenance.json")
    digest = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    assert record["outputs"] == {"results/a": digest}
    assert record["inputs"] == {path: files.sha256(path) for path in ("bills.jsonl", "train.py")}
    assert record["rule"] == "train" and record["wildcards"] == {"model": "m"}
    assert record["params"] == {"settings": {"seed": 7}} and record["seed"] == 7
    assert record["versions"]["torch"] == version("torch")
    assert record["machine"]["host"] == platform.node() and record["device"] == "an abacus"


def test_a_folders_record_is_of_all_files_in_it():
    record = files.read_json("results/model/provenance.json")
    assert list(record["outputs"]) == ["results/model/weights", "results/model/extra.json"]


@pytest.fixture
def git(tmp_path):
    """Runs git in the test's folder."""

    def run(*arguments):
        name = ["-c", "user.name=a", "-c", "user.email=a@b"]
        command = ["git", "-C", str(tmp_path), *name, *arguments]
        return subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip()

    return run


def test_the_commit_and_whether_it_is_clean(tmp_path, git):
    assert provenance.commit(tmp_path) is None
    git("init", "-q")
    git("add", "train.py")
    git("commit", "-qm", "first")
    Path(".gitignore").write_text("results/\nbills.jsonl\n")
    head = git("rev-parse", "HEAD")
    assert provenance.commit(tmp_path) == {"commit": head, "clean": False}  # a file of no commit
    git("add", ".gitignore")
    git("commit", "-qm", "second")
    assert provenance.commit(tmp_path) == {"commit": git("rev-parse", "HEAD"), "clean": True}
    Path("train.py").write_text("other code")
    assert not provenance.commit(tmp_path)["clean"]


def test_a_copy_inside_somebody_elses_repository_is_of_no_commit(tmp_path, git):
    """A project that was unpacked in a home folder under git, ignored there or not."""
    git("init", "-q")
    Path(".gitignore").write_text("ignored/\n")
    git("add", ".gitignore")
    git("commit", "-qm", "first")
    for name in ("ignored", "new"):
        folder = tmp_path / name / "scripts"
        folder.mkdir(parents=True)
        (folder / "train.py").write_text("code")
        assert provenance.commit(folder) is None


def test_the_repository_is_the_codes_own_whatever_git_was_told_of_another(
    tmp_path, git, monkeypatch
):
    """Git tells its hooks, and what they start, of the repository that they are of."""
    git("init", "-q")
    git("add", "train.py")
    git("commit", "-qm", "first")
    expected = {"commit": git("rev-parse", "HEAD"), "clean": False}
    other = tmp_path / "other"
    git("init", "-q", str(other))
    monkeypatch.setenv("GIT_DIR", str(other / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(other / ".git" / "index"))
    assert provenance.commit(tmp_path) == expected


@pytest.mark.parametrize("content", ["0.6", "0.", ""], ids=["flipped", "truncated", "empty"])
def test_a_damaged_input_is_moved_aside_and_told(content):
    Path("results/model/weights").write_text(content)
    with pytest.raises(InputError, match=r"results/model/weights \(now results/damaged/model/wei"):
        provenance.begin("score", {}, {}, ["results/model/weights", "train.py"])
    assert not Path("results/model/weights").exists()
    assert Path("results/damaged/model/weights").read_text() == content
    assert Path("train.py").exists()


@pytest.mark.parametrize("content", ['{"outputs": {', "", "[]", '{"outputs": []}'])
def test_a_damaged_record_is_moved_aside_as_well(content):
    Path("results/table.provenance.json").write_text(content)
    with pytest.raises(InputError, match="table.provenance.json .now results/damaged/table.prov"):
        provenance.begin("audit", {}, {}, ["results/table.csv"])
    assert Path("results/table.csv").exists()


def test_files_without_a_record_are_taken_as_they_are():
    Path("bills.jsonl").write_text("other bills")
    assert provenance.begin("corpus", {}, {}, ["bills.jsonl"]).inputs == {
        "bills.jsonl": files.sha256("bills.jsonl")
    }


def test_what_came_from_elsewhere_is_never_moved(tmp_path):
    """Another project's results as a source, with a record of theirs, or a broken one."""
    for folder in (Path("bought/model"), tmp_path / "bought" / "model"):
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "weights").write_text("0.5")
        for record in ("{", json.dumps({"outputs": {str(folder / "weights"): "another"}})):
            (folder / "provenance.json").write_text(record)
            provenance.begin("dense", {}, {}, [str(folder / "weights")])
        assert len(list(folder.iterdir())) == 2


def test_lineage_leads_from_a_result_to_its_sources():
    found = lineage.gathered(["results/table.csv"], {"seed": 1})
    assert list(found["jobs"]) == ["results/table.provenance.json", "results/model/provenance.json"]
    assert found["results"] == {"results/table.csv": files.sha256("results/table.csv")}
    assert found["configuration"] == {"seed": 1}
    assert found["device"] == ["an abacus"] and len(found["machine"]) == 1
    assert json.loads(json.dumps(found)) == found


def test_verify_finds_nothing_where_nothing_changed():
    Path("results/logs").mkdir()
    Path("results/logs/train.log").write_text("")
    for name in ("README.md", "report.zip", "report.html", "provenance.md", "provenance.html"):
        Path("results", name).write_text("")
    Path("results/provenance.json").write_text("{}")
    found = verification.verify(Path("results"))
    assert found.matches
    assert (found.records, found.files) == (2, 3)


def test_verify_tells_each_fault_from_the_others():
    Path("results/model/weights").write_text("0.6")
    Path("results/model/extra.json").unlink()
    Path("results/alien").write_text("")
    Path("train.py").write_text("other code")
    found = verification.verify(Path("results"))
    assert found.damaged == ["results/model/weights"]
    assert found.gone == ["results/model/extra.json"]
    assert found.unknown == ["results/alien"]
    # The damaged weights are no reason to rebuild the table.
    assert found.outdated == {"train.py": ["results/model/weights", "results/table.csv"]}
    assert not found.matches
    assert Path("results/model/weights").read_text() == "0.6"


def test_verify_goes_by_no_times():
    """In a copy of results/ the times of the records are in any order."""
    Path("results/model/weights").write_text("0.6")
    os.utime("results/table.provenance.json", (1, 1))
    found = verification.verify(Path("results"))
    assert found.damaged == ["results/model/weights"] and not found.outdated


@pytest.mark.parametrize("content", ["", "[]", "{}"])
def test_verify_of_a_record_that_is_none(content):
    Path("results/table.provenance.json").write_text(content)
    found = verification.verify(Path("results"))
    assert found.unreadable == ["results/table.provenance.json"]
    assert not found.matches
