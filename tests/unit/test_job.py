"""A job's messages and faults."""

import subprocess
import sys
from pathlib import Path

from sparsesum import job

SCRIPT = """
from sparsesum.errors import InputError
from sparsesum.job import job, log
with job("prune m", {log!r}, "results/x"):
    log.info("working")
    {fault}
"""


def run(tmp_path: Path, fault: str) -> tuple[int, str, str]:
    log = tmp_path / "job.log"
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT.format(log=str(log), fault=fault)],
        env={"PYTHONPATH": ":".join(sys.path)},
        capture_output=True,
        text=True,
    )
    return done.returncode, done.stderr, log.read_text()


def test_messages_go_to_terminal_and_log_and_the_last_names_the_result(tmp_path):
    code, terminal, log = run(tmp_path, "pass")
    assert code == 0 and terminal == log
    first, last = log.splitlines()
    assert first == "prune m: working"
    assert last.startswith("prune m: results/x, after ")


def test_an_input_error_is_one_line_and_no_traceback(tmp_path):
    code, terminal, _ = run(tmp_path, "raise InputError('grid.tsv, line 3: no')")
    assert code == 1
    assert terminal.splitlines() == ["prune m: working", "prune m: error: grid.tsv, line 3: no"]


def test_a_bug_keeps_its_traceback_in_terminal_and_log(tmp_path):
    code, terminal, log = run(tmp_path, "raise KeyError('x')")
    assert code == 1 and terminal == log
    assert "Traceback" in log and "KeyError: 'x'" in log


def test_progress_says_how_far_and_how_long(caplog, monkeypatch):
    now = [0.0]
    monkeypatch.setattr(job.time, "monotonic", lambda: now[0])
    caplog.set_level("INFO")
    progress = job.Progress("training", 10, "steps")
    for done, second in ((1, 1), (2, 4), (5, 10), (6, 11)):
        now[0] = second
        progress(done, "loss 1")
    assert [record.message for record in caplog.records] == [
        "training: 5 of 10 steps, 10 s left, loss 1"
    ]
