"""Outputs appear whole or not at all."""

import stat
from pathlib import Path

import pytest

from sparsesum import files


def test_a_file_appears_when_it_is_complete(tmp_path: Path):
    path = tmp_path / "made" / "a.txt"
    with files.whole(path) as draft:
        draft.write_text("x")
        assert not path.exists()
    assert path.read_text() == "x"
    assert [p.name for p in path.parent.iterdir()] == ["a.txt"]


def test_a_failure_leaves_what_was_there(tmp_path: Path):
    path = tmp_path / "a.txt"
    path.write_text("old")
    with pytest.raises(RuntimeError), files.whole(path) as draft:
        draft.write_text("half")
        raise RuntimeError
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_folder_replaces_a_folder_as_a_whole(tmp_path: Path):
    path = tmp_path / "model"
    path.mkdir()
    (path / "stale").write_text("")
    with files.whole(path) as draft:
        draft.mkdir()
        (draft / "new").write_text("")
    assert [p.name for p in path.iterdir()] == ["new"]


def test_what_a_killed_process_left_is_no_part_of_the_next_draft(tmp_path: Path):
    left = tmp_path / ".model.draft"
    left.mkdir()
    (left / "half").write_text("")
    with files.whole(tmp_path / "model") as draft:
        draft.mkdir()
        (draft / "new").write_text("")
    assert [p.name for p in (tmp_path / "model").iterdir()] == ["new"]
    assert not left.exists()


def test_others_may_read_what_was_made(tmp_path: Path):
    with files.whole(tmp_path / "a") as draft:
        draft.write_text("")
        draft.chmod(0o600)
    ordinary = tmp_path / "b"
    ordinary.write_text("")
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == stat.S_IMODE(ordinary.stat().st_mode)


def test_any_text_survives_json_lines(tmp_path: Path):
    records = [{"text": "a\nb\u2028c \ud800 \x00 é", "n": 1.5}, {}]
    files.write_jsonl(tmp_path / "a.jsonl", records)
    assert files.read_jsonl(tmp_path / "a.jsonl") == records
    assert len((tmp_path / "a.jsonl").read_text().splitlines()) == 2


def test_what_an_interrupted_job_left_is_given_again_under_the_same_identity(tmp_path: Path):
    path = tmp_path / "made" / "model"
    with pytest.raises(RuntimeError), files.scratch(path, {"damping": 0.1}) as scratch:
        (scratch / "one").write_text("1")
        raise RuntimeError
    with files.scratch(path, {"damping": 0.1}) as scratch:
        assert (scratch / "one").read_text() == "1"
    assert list(path.parent.iterdir()) == []


@pytest.mark.parametrize("mark", ['{"damping": 0.1}', "", "{", None])
def test_what_another_job_left_is_thrown_away(tmp_path: Path, mark):
    left = tmp_path / ".model.scratch"
    left.mkdir()
    (left / "one").write_text("1")
    if mark is not None:
        (left / "identity.json").write_text(mark)
    with files.scratch(tmp_path / "model", {"damping": 0.2}) as scratch:
        assert [path.name for path in scratch.iterdir()] == ["identity.json"]
    assert list(tmp_path.iterdir()) == []


def test_sha256(tmp_path: Path):
    (tmp_path / "a").write_bytes(b"abc")
    assert files.sha256(tmp_path / "a") == (
        "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
    )
