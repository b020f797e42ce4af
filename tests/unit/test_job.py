"""A job's messages and faults."""

import subprocess
import sys
from pathlib import Path

from sparsesum.jobs import job

SCRIPT = """
from sparsesum.base.errors import InputError
from sparsesum.jobs.job import job, log
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


def test_an_interrupt_is_one_line(tmp_path):
    code, terminal, _ = run(tmp_path, "import os; os.kill(os.getpid(), 2)")
    assert code == 130 and "Traceback" not in terminal
    assert terminal.splitlines()[-1].startswith("prune m: interrupted: run the same command again")


def test_a_full_disk_is_one_line_that_says_what_to_do(tmp_path):
    fault = "open('/dev/full', 'w', buffering=1).write('x\\n')"
    code, terminal, _ = run(tmp_path, fault)
    assert code == 1 and "Traceback" not in terminal
    last = terminal.splitlines()[-1]
    assert last.startswith("prune m: error: the disk is full: make room, and run the same command")


def test_too_little_memory_is_one_line(tmp_path):
    """Both torch's allocator and Python's own, for more than any machine has."""
    for fault in ("import torch; torch.empty(2**60, dtype=torch.uint8)", "bytearray(2**62)"):
        code, terminal, _ = run(tmp_path, fault)
        assert code == 1 and "Traceback" not in terminal, terminal
        assert "error: not enough memory: use a machine with more" in terminal.splitlines()[-1]


def test_one_process_is_at_a_job_at_a_time(tmp_path):
    """The second waits, says so, and then has the log to itself."""
    log = tmp_path / "job.log"
    environment = {"PYTHONPATH": ":".join(sys.path)}

    def start(seconds: float) -> subprocess.Popen:
        code = SCRIPT.format(log=str(log), fault=f"import time; time.sleep({seconds})")
        command = [sys.executable, "-c", code]
        return subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True)

    first = start(60)
    assert first.stderr.readline() == "prune m: working\n"
    second = start(0)
    assert second.stderr.readline() == "prune m: another process is at it: waiting for it to end\n"
    assert second.poll() is None
    first.kill()  # the system frees the lock, however a process ends
    first.wait()
    assert second.wait(timeout=30) == 0
    first.stderr.close()
    second.stderr.close()
    assert len(log.read_text().splitlines()) == 2


def test_the_lock_is_not_lost_with_the_log(tmp_path):
    """Snakemake deletes a job's log before it starts the job."""
    log = tmp_path / "job.log"
    environment = {"PYTHONPATH": ":".join(sys.path)}
    code = SCRIPT.format(log=str(log), fault="import time; time.sleep(60)")
    command = [sys.executable, "-c", code]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE, text=True) as first:
        assert first.stderr.readline() == "prune m: working\n"
        log.unlink()
        with subprocess.Popen(
            command, env=environment, stderr=subprocess.PIPE, text=True
        ) as second:
            assert "another process is at it" in second.stderr.readline()
            second.kill()
        first.kill()
