"""Outputs appear whole or not at all."""

import errno
import os
import stat
from pathlib import Path

import pytest

from sparsesum.base import files


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


def test_a_folder_that_was_put_elsewhere_is_made_again_in_its_place(tmp_path: Path):
    """Who is short of room moves a folder to another disk and leaves a link; both stay safe."""
    elsewhere, path = tmp_path / "elsewhere", tmp_path / "model"
    elsewhere.mkdir()
    (elsewhere / "other").write_text("kept")
    path.symlink_to(elsewhere)
    with files.whole(path) as draft:
        draft.mkdir()
        (draft / "new").write_text("")
    assert [p.name for p in path.iterdir()] == ["new"] and not path.is_symlink()
    assert (elsewhere / "other").read_text() == "kept"


def test_notes_on_a_network_disk_that_cannot_be_removed_yet_cost_nothing(
    tmp_path: Path, monkeypatch
):
    """NFS keeps a removed file that is still open, as .nfs..., and its folder with it."""
    unlink = os.unlink

    def busy(path, **more):
        if Path(path).name == "mapped":
            raise OSError(errno.EBUSY, "Device or resource busy", path)
        unlink(path, **more)

    with monkeypatch.context() as nfs, files.scratch(tmp_path / "model", {"seed": 1}) as notes:
        (notes / "mapped").write_text("")
        nfs.setattr("os.unlink", busy)
    assert [path.name for path in notes.iterdir()] == ["mapped"]
    # It is of no arguments now: nothing resumes from it.
    with files.scratch(tmp_path / "model", {"seed": 1}) as notes:
        assert [path.name for path in notes.iterdir()] == ["identity.json"]
    assert not notes.exists()
