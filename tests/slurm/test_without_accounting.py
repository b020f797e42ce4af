"""The grid on a SLURM that keeps no accounts: what is asked for, a killed login, missing GPUs."""

import os
import re
import signal
from collections import Counter

import pytest

from tests.slurm.cluster import command, jobs, last, of_rule, wait_for

ACCOUNTING = False


@pytest.fixture(scope="module")
def grid(tmp_path_factory, cluster, new_project):
    """The grid after a run on SLURM; what a dry run announced is in `announced`."""
    project = new_project(tmp_path_factory.mktemp("grid"))
    dry = project.submit("--dry-run")
    assert dry.returncode == 0, dry.stdout
    project.announced = dry.stdout
    project.done = project.submit()
    assert project.done.returncode == 0, project.done.stdout[-5000:]
    return project


@pytest.mark.parametrize(
    ("option", "value", "said", "remedy"),
    [
        ("--slurm-status-command", "sacct", "No accounting on this SLURM",
         "`slurm-status-command: squeue` in profiles/slurm/config.yaml"),
        ("--slurm-init-seconds-before-status-checks", "300", "squeue forgets a job after 600 s",
         "`slurm-init-seconds-before-status-checks: 200`"),
    ],
)  # fmt: skip
def test_what_would_wait_for_good_is_refused(
    tmp_path, cluster, new_project, option, value, said, remedy
):
    before = last()
    done = new_project(tmp_path).submit(option, value, seconds=30)
    assert done.returncode != 0
    assert said in done.stdout and remedy in done.stdout
    assert last() == before


def test_the_table_is_that_of_a_local_run(grid, reference):
    assert grid.scores() == reference


def test_both_profiles_apply(grid):
    announced = "Using profiles profiles/slurm and workflow specific profile profiles/default"
    assert announced in grid.done.stdout


def test_short_jobs_share_a_submission(grid):
    submitted = jobs(grid.folder)
    assert {job["JobState"] for job in submitted.values()} == {"COMPLETED"}
    stages = Counter(job["Comment"].split("_")[1] for job in submitted.values())
    # 27 jobs; three readings of summaries and the table are made where Snakemake runs.
    assert stages == {
        "prepare": 1,
        "prune": 1,
        "full": 1,
        "qlora": 1,
        "generate": 3,
        "measure": 3,
        "score": 1,
    }
    assert re.search(r"^total +31$", grid.done.stdout, re.M)


def test_jobs_ask_for_what_the_rules_say(grid):
    """Memory and time of models of 0.2 MiB are the rules' least."""
    asked = {
        (job["Comment"].split("_")[1], job["MinMemoryNode"], job["TimeLimit"], job["CPUs/Task"])
        for job in jobs(grid.folder).values()
    }
    assert asked == {
        # Side by side: six jobs of 2,000 MiB; one after another: 30 minutes each level.
        ("prepare", "12000M", "01:30:00", "6"),
        ("prune", "3000M", "00:20:00", "1"),
        ("full", "4001M", "01:00:00", "2"),
        ("qlora", "4001M", "01:00:00", "2"),
        ("generate", "3000M", "00:30:00", "1"),
        ("measure", "3000M", "00:30:00", "1"),
        ("score", "12000M", "01:00:00", "3"),
    }


def test_jobs_whose_time_is_a_result_have_the_node_to_themselves(grid):
    cpus = command("sinfo", "--noheader", "--partition=cpu", "--format=%c").strip()
    for name in ("full", "qlora", "generate", "measure"):
        assert {job["NumCPUs"] for job in of_rule(grid.folder, name)} == {cpus}
    assert {job["NumCPUs"] for job in of_rule(grid.folder, "prune")} == {"1"}


def test_a_dry_run_says_what_sbatch_is_asked_for(grid):
    line = re.compile(r"^ *(\d+) +(\d+) +(\d+) +(\d+) +(?:\d+ )? *(\w+)", re.M)
    table = grid.announced.split("of what\n")[1]
    announced = Counter()
    for number, cpus, memory, minutes, name in line.findall(table):
        announced[name, cpus, memory, minutes] += int(number)
    asked = Counter()
    for job in jobs(grid.folder).values():
        hours, minutes, _ = map(int, job["TimeLimit"].split(":"))
        name = job["Comment"].split("_")[1]
        memory = job["MinMemoryNode"].removesuffix("M")
        asked[name, job["CPUs/Task"], memory, str(60 * hours + minutes)] += 1
    assert announced == asked
    assert f"{len(jobs(grid.folder))} submissions" in table


def test_a_killed_login_and_its_orphans(grid, reference, tmp_path):
    """Jobs that a killed Snakemake left are cancelled by the next, which makes what is missing."""
    project = grid.copy(tmp_path / "p")
    project.delete(
        *("generate/**/*.json*", "measure/**/*.json", "grounding/**/*.csv", "grounding/**/*.jsonl"),
        *("examples/**/*.csv", "score/**/*.json"),
    )
    kept = project.times()

    run = project.begin()
    wait_for(lambda: [j for j in of_rule(project.folder, "") if j["JobState"] == "RUNNING"])
    os.kill(run.pid, signal.SIGKILL)
    run.wait()
    orphans = [n for n, job in jobs(project.folder).items() if job["JobState"] != "COMPLETED"]
    assert orphans
    done_by_then = project.times()

    done = project.submit()
    assert done.returncode == 0, done.stdout[-5000:]
    # One at a time has the node; until the second Snakemake looks, it may have ended.
    found = re.search(r"SLURM jobs? ([\d, ]*\d)", done.stdout)
    cancelled = [] if found is None else [int(number) for number in found[1].split(", ")]
    assert cancelled and set(cancelled) <= set(orphans), done.stdout[-5000:]
    for number in orphans:
        state = jobs(project.folder)[number]["JobState"]
        assert state == ("CANCELLED" if number in cancelled else "COMPLETED")
    assert project.scores() == reference
    after = project.times()
    assert kept.items() <= done_by_then.items() <= after.items()


def test_a_group_has_one_gpu_and_torch_must_find_it(grid, tmp_path):
    """The rows of a group could be scored side by side: still it asks for one GPU, not three."""
    project = grid.copy(tmp_path / "p")
    project.set_profile(slurm_partition="gpu")
    text = (project.folder / "tiny.yaml").read_text()
    (project.folder / "tiny.yaml").write_text(text.replace("device: cpu", "device: auto"))
    project.delete("examples/**/*.csv", "score/**/*.json")
    done = project.submit("--rerun-triggers", "mtime", "--retries", "0")
    assert done.returncode != 0
    [job] = jobs(project.folder).values()
    assert job["Comment"].startswith("rule_score") and job["TresPerJob"] == "gres:gpu:1"
    assert job["JobState"] == "FAILED"
    assert "finds no GPU" in done.stdout
    assert "Traceback" not in done.stdout
