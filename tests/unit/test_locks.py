"""Locks of a killed Snakemake are cleared, those of one that lives are not."""

import subprocess
import sys
from pathlib import Path

import pytest

from sparsesum.jobs import locks

HOLD = """
import sys, time
from pathlib import Path
from sparsesum.jobs import locks
alive = locks.clear_stale(Path(sys.argv[1]))
Path(sys.argv[1], "locks").mkdir(exist_ok=True)
print("held", flush=True)
time.sleep(60)
"""


@pytest.fixture
def other(tmp_path: Path):
    """Another process with its locks in tmp_path."""
    command = [sys.executable, "-c", HOLD, str(tmp_path)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout.readline() == "held\n"
        yield process
        process.kill()


def test_locks_of_a_killed_process_are_cleared(other, tmp_path):
    other.kill()
    other.wait()
    with locks.clear_stale(tmp_path):
        assert not (tmp_path / "locks").exists()


def test_locks_of_a_living_process_stay(other, tmp_path):
    with locks.clear_stale(tmp_path):
        assert (tmp_path / "locks").is_dir()


def test_a_dry_run_beside_it_does_not_hide_that_a_process_lives(tmp_path):
    """Two at a time, then a third once the first is gone: the second is still there."""
    first = locks.clear_stale(tmp_path)
    second = locks.clear_stale(tmp_path)
    (tmp_path / "locks").mkdir()
    first.close()
    with locks.clear_stale(tmp_path):
        assert (tmp_path / "locks").is_dir()
    second.close()
    with locks.clear_stale(tmp_path):
        assert not (tmp_path / "locks").exists()


def test_locks_of_another_machine_stay(tmp_path):
    (tmp_path / "locks").mkdir()
    (tmp_path / "alive").write_text("login2")
    with locks.clear_stale(tmp_path):
        assert (tmp_path / "locks").is_dir()


def test_a_file_system_without_locks(tmp_path, monkeypatch):
    (tmp_path / "locks").mkdir()

    def refuse(*args):
        raise OSError(38, "Function not implemented")

    monkeypatch.setattr(locks.fcntl, "flock", refuse)
    assert locks.clear_stale(tmp_path) is None
    assert (tmp_path / "locks").is_dir()
