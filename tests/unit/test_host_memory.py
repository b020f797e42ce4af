"""A job's own limit counts, not the machine's memory alone."""

from pathlib import Path

import psutil
import pytest

from sparsesum.machine import host_memory

MB = 2**20


def machine(root: Path, groups: str, files: dict[str, str]) -> Path:
    """A file system with control groups."""
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        path = root / "sys/fs/cgroup" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text + "\n")
    return root


JOB = "memory/slurm/uid_0/job_7"


@pytest.mark.parametrize(
    ("groups", "files", "left"),
    [
        # v1, as SLURM has it: the job's limit counts for a task, whose own is none that matters.
        (
            "9:name=systemd:/\n4:memory:/slurm/uid_0/job_7/step_0/task_0\n0::/\n",
            {
                f"{JOB}/memory.limit_in_bytes": str(300 * MB),
                f"{JOB}/memory.usage_in_bytes": str(100 * MB),
                f"{JOB}/memory.stat": f"cache 5\ntotal_inactive_file {20 * MB}",
                f"{JOB}/step_0/task_0/memory.limit_in_bytes": str(2**63 - 4096),
                f"{JOB}/step_0/task_0/memory.usage_in_bytes": "1",
                f"{JOB}/step_0/task_0/memory.stat": "total_inactive_file 0",
            },
            220 * MB,
        ),
        # v2: "max" is no limit.
        (
            "0::/box/job\n",
            {
                "box/memory.max": str(50 * MB),
                "box/memory.current": str(20 * MB),
                "box/memory.stat": f"anon 7\ninactive_file {MB}",
                "box/job/memory.max": "max",
                "box/job/memory.current": str(10 * MB),
            },
            31 * MB,
        ),
        # More used than allowed, for a moment.
        (
            "0::/x\n",
            {
                "x/memory.max": str(MB),
                "x/memory.current": str(2 * MB),
                "x/memory.stat": "inactive_file 0",
            },
            0,
        ),
    ],
)
def test_a_limit_that_is_less_than_what_is_free(tmp_path, groups, files, left):
    assert host_memory.available(machine(tmp_path, groups, files)) == left


@pytest.mark.parametrize("groups", ["", "3:cpuset:/\n", "0::/gone\n"])
def test_what_is_free_where_there_is_no_limit(tmp_path, groups, monkeypatch):
    monkeypatch.setattr(psutil, "virtual_memory", lambda: type("", (), {"available": 9 * MB}))
    assert host_memory.available(machine(tmp_path, groups, {})) == 9 * MB
    assert host_memory.available(tmp_path / "not Linux") == 9 * MB


def test_here():
    assert 0 < host_memory.available() <= psutil.virtual_memory().total
