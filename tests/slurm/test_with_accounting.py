"""The grid on a SLURM with accounting, and what becomes of jobs that end otherwise than well."""

import os
import re
import signal
import subprocess
from pathlib import Path

import pytest

from tests.slurm.cluster import command, jobs, of_rule, wait_for

ACCOUNTING = True


def running(project, name: str, *others: str) -> str | None:
    """The number of a job of a rule, by the start of its comment, once one but `others` runs."""
    for job in of_rule(project.folder, name):
        if job["JobState"] == "RUNNING" and job["JobId"] not in others:
            return job["JobId"]
    return None


def script(job: str) -> int | None:
    """The process on the node that runs the job's script."""
    try:
        listed = command("scontrol", "listpids", job).splitlines()[1:]
    except subprocess.CalledProcessError:  # it runs, but for its first step
        return None
    for process in (line.split()[0] for line in listed):
        try:
            arguments = Path("/proc", process, "cmdline").read_bytes()
        except OSError:
            continue
        if b"/.snakemake/scripts/" in arguments:
            return int(process)
    return None


@pytest.fixture(scope="module")
def grid(tmp_path_factory, cluster, local):
    """The grid whose pruned row was made on SLURM, which asked sacct; its first job was killed."""
    project = local.copy(tmp_path_factory.mktemp("grid"))
    project.set_profile(slurm_account="bills")
    project.forget("prune/bills/tiny-post/wanda_2of4/model.safetensors")
    run = project.begin("--slurm-status-command", "sacct")
    prune = wait_for(lambda: running(project, "prune"))
    os.kill(wait_for(lambda: script(prune)), signal.SIGKILL)
    assert run.wait(400) == 0, project.output()[-5000:]
    return project


def test_the_table_is_that_of_a_local_run(grid, reference):
    assert grid.scores() == reference


def test_sacct_is_warned_of(grid):
    assert "a job that is cancelled would be waited for" in grid.output()
    assert "`slurm-status-command: squeue`" in grid.output()


def test_a_killed_job_is_made_again_with_more(grid):
    first, second = of_rule(grid.folder, "prune")
    assert (first["JobState"], second["JobState"]) == ("FAILED", "COMPLETED")
    assert (first["MinMemoryNode"], second["MinMemoryNode"]) == ("3000M", "6000M")
    assert (first["TimeLimit"], second["TimeLimit"]) == ("00:20:00", "00:40:00")


def test_the_accounts_have_every_job(grid):
    numbers = set(jobs(grid.folder))
    listed = command(
        *("sacct", "--allocations", "--noheader", "--parsable2"),
        "--format=JobIDRaw,Account,Comment",
    )
    rows = [line.split("|") for line in listed.splitlines()]
    ours = {int(number): (account, comment) for number, account, comment in rows}
    assert numbers <= set(ours)
    assert {ours[number][0] for number in numbers} == {"bills"}
    assert len([1 for number in numbers if ours[number][1].startswith("rule_score")]) == 1


def test_jobs_that_end_badly_and_one_command_that_goes_on(grid, reference, tmp_path):
    """One cancelled, one whose process is killed, one that hangs until its time is up."""
    project = grid.copy(tmp_path / "p")
    project.delete(
        *("generate/**/*.json*", "measure/**/*.json", "grounding/**/*.csv", "grounding/**/*.jsonl"),
        *("examples/**/*.csv", "score/**/*.json"),
    )
    kept = project.times()

    run = project.begin("--retries", "0")
    # One after the other: each has the node to itself.
    cancelled = wait_for(lambda: running(project, "generate"))
    command("scancel", cancelled)
    killed = wait_for(lambda: running(project, "generate", cancelled))
    os.kill(wait_for(lambda: script(killed)), signal.SIGKILL)
    hangs = wait_for(lambda: running(project, "generate", cancelled, killed))
    os.kill(wait_for(lambda: script(hangs)), signal.SIGSTOP)
    command("scontrol", "update", f"JobId={hangs}", "TimeLimit=1")
    assert run.wait(300) != 0

    ended = {hangs: "TIMEOUT", cancelled: "CANCELLED", killed: "FAILED"}
    for number, state in ended.items():
        assert jobs(project.folder)[int(number)]["JobState"] == state
        assert re.search(
            rf"SLURM-job '{number}' failed, SLURM status is: '{state}", project.output()
        )
    assert kept.items() <= project.times().items()

    done = project.submit("--retries", "0")
    assert done.returncode == 0, done.stdout[-5000:]
    assert project.scores() == reference
    assert kept.items() <= project.times().items()
