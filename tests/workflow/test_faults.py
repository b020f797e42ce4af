"""What happens to machines that run for a day.

After each fault the same command resumes: nothing finished is rebuilt, nothing half-made is
taken for complete, and the scores are those of an undisturbed run.
"""

import fcntl
import os
import re
import shutil
import signal
import subprocess
import threading
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psutil
import pytest

from tests.workflow.project import GRID, Project, rule_of

STAGES = """
    corpus dense tokens calibration prune full qlora generate examples grounding score measure
    table3 sparsity quality_size provenance
""".split()
ROOT_ONLY = pytest.mark.skipif(os.geteuid() != 0, reason="mounting and cgroups are root's")


THREE_ROWS = "\n".join(GRID.splitlines()[:4]) + "\n"
"""Of the tiny grid's rows the first three: base, full, Wanda 2:4 with QLoRA. All stages."""


@pytest.fixture
def fresh(project) -> Project:
    """Three rows of the finished project, without results, as after a clone."""
    shutil.rmtree(project.folder / "results")
    shutil.rmtree(project.folder / ".snakemake")
    project.use(project.models, THREE_ROWS)
    return project


def jobs(snakemake: subprocess.Popen, rule: str | None = None) -> list[psutil.Process]:
    """The processes that run a rule's script now: those of one rule, or all."""
    children = psutil.Process(snakemake.pid).children(recursive=True)
    return [child for child in children if (found := rule_of(child)) and rule in (None, found)]


def job(snakemake: subprocess.Popen, rule: str) -> psutil.Process | None:
    """A process of the rule, as soon as there is one; None if Snakemake ends without."""
    while snakemake.poll() is None:
        if found := jobs(snakemake, rule):
            return found[0]
        time.sleep(0.01)
    return None


def finished_jobs(project: Project) -> Counter:
    """How often each rule's jobs were finished, in all runs of the project.

    From Snakemake's own logs: in what it prints, jobs that write at the same time break lines.
    """
    logs = (path.read_text() for path in project.folder.glob(".snakemake/log/*.log"))
    return Counter(re.findall(r"Finished jobid: \d+ \(Rule: (\w+)\)", "".join(logs)))


def planned_jobs(project: Project) -> Counter:
    """How many jobs of each rule a run would do, as Snakemake counts them."""
    lines = project.snakemake("-n", "all").stdout.partition("Job stats:")[2].splitlines()
    counts = Counter({cells[0]: int(cells[1]) for line in lines if len(cells := line.split()) == 2
                      and cells[1].isdigit()})  # fmt: skip
    assert counts.pop("total") == counts.total()
    return counts


def goes_on(project: Project, finished: Project) -> None:
    """The one command that follows a fault."""
    done = project.snakemake()
    assert done.returncode == 0, done.stdout[-5000:]
    ours, theirs = project.scores(), finished.scores()
    assert ours == theirs[: len(ours)] and len(ours) in (3, 6)
    assert nothing_left_over(project)


def nothing_left_over(project: Project) -> bool:
    return not [
        path
        for path in (project.folder / "results").rglob("*")
        if path.name.endswith((".draft", ".scratch"))
    ]


@pytest.mark.long("true commands again and again, until each stage was killed once")
def test_a_job_of_each_stage_is_killed(fresh, finished):
    """kill -9 of the first job of each stage, wherever it is; no job is finished twice."""
    left, planned = set(STAGES), planned_jobs(fresh)
    while left:
        with fresh.start() as running:
            said = threading.Thread(target=running.stdout.read)
            said.start()
            before = len(left)
            while running.poll() is None:
                for process in jobs(running):
                    with suppress(psutil.Error):  # it has just ended
                        if (rule := rule_of(process)) in left:
                            process.send_signal(signal.SIGKILL)
                            left.remove(rule)
                time.sleep(0.005)
            said.join()
        assert running.returncode != 0 and len(left) < before
    goes_on(fresh, finished)
    assert finished_jobs(fresh) == planned


@pytest.mark.long("four true commands for three rows, each job with its imports")
def test_snakemake_itself_is_killed(fresh, finished):
    """Its jobs end with it, what it had finished stays, and there is no lock to remove by hand."""
    planned = planned_jobs(fresh)
    for rule, sent in (
        ("prune", signal.SIGKILL),
        ("full", signal.SIGTERM),
        ("measure", signal.SIGINT),
    ):
        with fresh.start() as running:
            assert job(running, rule)
            started = jobs(running)
            running.send_signal(sent)
            running.communicate()  # its jobs have the same pipe
        assert running.returncode != 0
        # They have closed their pipe; on a busy machine it takes a moment until they are gone.
        _, alive = psutil.wait_procs(started, timeout=10)
        assert not [process for process in alive if process.status() != "zombie"]
    goes_on(fresh, finished)
    # None twice. What ended while Snakemake was being killed is there, and it wrote no line of it.
    assert finished_jobs(fresh) <= planned


@pytest.mark.long("a true command, three beside it, and one that goes on")
def test_a_second_snakemake_is_refused_and_does_no_harm(project, finished):
    project.forget("generate/bills/tiny-pre/dense/base/test.jsonl")
    with project.start() as running:
        generating = job(running, "generate")
        generating.suspend()  # or it may end before the others begin
        for arguments in ((), ("-n", "all"), ()):
            other = project.snakemake(*arguments)
            assert (other.returncode == 0) == ("-n" in arguments)
            assert "cannot be locked" in other.stdout
        running.send_signal(signal.SIGKILL)
        generating.resume()
        running.communicate()
    goes_on(project, finished)


DAMAGED = {
    # An artifact, and one that was made from it: to be made again, which finds the damage. What is
    # rebuilt has all that was made from it made again; so none of these is made from another.
    "dense/tiny-post/model.safetensors": ("prune/bills/tiny-post/sparsegpt_4of8/model.safetensors"),
    "tokens/bills/tiny-post/test.parquet": ("generate/bills/tiny-post/wanda_50/full/test.jsonl"),
    "prune/bills/tiny-pre/wanda_2of4/model.safetensors": (
        "qlora/bills/tiny-pre/wanda_2of4/adapter/adapter_model.safetensors"
    ),
    "qlora/bills/tiny-pre/magnitude_50/adapter/adapter_model.safetensors": (
        "measure/bills/tiny-pre/magnitude_50/qlora.json"
    ),
    "generate/bills/tiny-pre/dense/full/test.jsonl": "examples/bills/tiny-pre/dense/full.csv",
    "examples/bills/tiny-pre/dense/base.csv": "score/bills/tiny-pre/dense/base.json",
    "measure/bills/tiny-pre/dense/base.json": "table3.csv",
}


@pytest.mark.long("a run for each damage that the one before has hidden")
def test_damaged_files(project, finished):
    """A bit flipped on the disk, the end of a file lost, by turns: told, moved aside, rebuilt."""
    results = project.folder / "results"
    for number, name in enumerate(DAMAGED):
        path, stat = results / name, (results / name).stat()
        content = bytearray(path.read_bytes())
        if number % 2:
            content[len(content) // 2] ^= 4
        else:
            del content[-20:]
        path.write_bytes(content)
        os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    verified = project.snakemake("verify")
    assert verified.returncode != 0 and "Traceback" not in verified.stdout
    told = re.findall(r"results/(\S+): not what its job wrote", verified.stdout)
    assert set(told) == {*DAMAGED}
    for consumer in DAMAGED.values():
        if (results / consumer).exists():
            project.forget(consumer)

    # Each damaged file stops what is made from it, and nothing else; what comes after is found by
    # the next run.
    said, runs = "", 0
    while (done := project.snakemake()).returncode != 0:
        runs += 1
        assert runs <= 4 and "Traceback" not in done.stdout, done.stdout[-5000:]
        said += done.stdout
    for name in DAMAGED:
        assert f"error: results/{name} (now results/damaged/{name}): not what the job" in said
        assert (results / "damaged" / name).is_file()
    assert project.scores() == finished.scores()
    verified = project.snakemake("verify")
    assert verified.returncode == 0, verified.stdout[-3000:]


def test_verify_finds_nothing_in_what_was_just_made(project):
    verified = project.snakemake("verify")
    assert verified.returncode == 0, verified.stdout[-3000:]
    assert re.search(r"verify: \d{3} files of \d{2} jobs: all as recorded", verified.stdout)


def test_a_gpu_that_is_not_there(project):
    """Refused before Snakemake deletes what it would make again."""
    rules = project.folder / "workflow" / "rules" / "checks.smk"
    there, count = re.subn("(?m)^GPU_FILES = .*$", 'GPU_FILES = ["/dev/none"]', rules.read_text())
    assert count == 1
    rules.write_text(there)  # this machine may have one
    before = project.files()
    project.use(project.models, device="cuda")
    done = project.snakemake()
    assert done.returncode != 0 and "Traceback" not in done.stdout
    assert "key 'device': cuda, and this machine has no GPU" in done.stdout
    assert project.files() == before
    project.use(project.models)
    assert project.planned() == set()


@pytest.mark.long("two runs of three rows")
@ROOT_ONLY
def test_a_full_disk(fresh, finished, tmp_path):
    """A small disk, for the results and for Snakemake's own notes; then a larger one."""
    shutil.move(fresh.folder, tmp_path / "kept")
    fresh.folder.mkdir()
    used = subprocess.run(["du", "-sk", tmp_path / "kept"], capture_output=True, check=True).stdout
    size = int(used.split()[0]) + 1200  # kB: half of what a run writes
    mount = ["mount", "-t", "tmpfs", "-o", f"size={size}k", "none", fresh.folder]
    subprocess.run(mount, check=True)
    try:
        shutil.copytree(tmp_path / "kept", fresh.folder, dirs_exist_ok=True)
        done = fresh.snakemake()
        assert done.returncode != 0
        # A job's line says what to do (test_job.py); Snakemake may be the first to meet it.
        assert "No space left on device" in done.stdout
        assert finished_jobs(fresh)
        subprocess.run(["mount", "-o", "remount,size=300M", fresh.folder], check=True)
        goes_on(fresh, finished)
        verified = fresh.snakemake("verify")
        assert verified.returncode == 0, verified.stdout[-3000:]
    finally:
        subprocess.run(["umount", "-l", fresh.folder], check=True)


@pytest.fixture
def small_memory():
    """Puts a process where there are 200 MB of memory; the kernel kills who needs more."""
    group = Path("/sys/fs/cgroup/memory") / f"sparsesum-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text("200M")
    except OSError as error:
        pytest.skip(f"no memory cgroup here: {error}")

    def confine(process: psutil.Process) -> None:
        (group / "cgroup.procs").write_text(str(process.pid))

    yield confine
    for _ in range(100):
        if not (group / "cgroup.procs").read_text():
            break
        time.sleep(0.1)
    group.rmdir()


@pytest.mark.long("a true command, and a run of what it should have made")
@ROOT_ONLY
def test_out_of_memory(project, finished, small_memory):
    """The kernel kills a job that needs more memory than there is."""
    project.forget("full/bills/tiny-pre/dense/model.safetensors")
    shutil.rmtree(project.folder / ".snakemake" / "log")
    planned = planned_jobs(project)
    with project.start() as running:
        small_memory(job(running, "full"))
        output = running.communicate()[0]
    assert running.returncode != 0
    assert "SIGKILL" in output
    goes_on(project, finished)
    assert finished_jobs(project) == planned


@pytest.mark.long("a true command and its jobs")
def test_another_process_at_the_same_job_is_waited_for(project, finished):
    """As when a Snakemake on another machine started it: two would write the same draft."""
    row = "generate/bills/tiny-pre/wanda_2of4/qlora"
    project.forget(f"{row}/test.jsonl")
    with (
        (project.folder / "results/logs" / f"{row}.log")
        .with_name(".qlora.log.lock")
        .open("a") as lock
    ):
        fcntl.flock(lock, fcntl.LOCK_EX)
        with project.start() as running:
            second = job(running, "generate")
            lines = iter(running.stdout.readline, "")
            assert any("another process is at it: waiting for it to end" in line for line in lines)
            assert second.is_running()
            assert not list((project.folder / "results" / row).parent.glob(".*"))
            fcntl.flock(lock, fcntl.LOCK_UN)
            output = running.communicate()[0]
    assert running.returncode == 0, output[-3000:]
    assert project.scores() == finished.scores()
