"""What jobs would ask of SLURM, as a dry run shows it and as sbatch gets it; it needs no SLURM."""

import json
import os
import re
from pathlib import Path

import pytest

from tests.workflow.project import ROOT, Project

PAPER = ["--profile", "profiles/slurm", "--dry-run", "--configfile", "config/paper.yaml"]


@pytest.fixture
def paper(tmp_path, opt_folders) -> Project:
    project = Project(tmp_path)
    project.use({"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]})
    return project


def asked(project: Project, *arguments: str) -> tuple[set[tuple[str, ...]], str]:
    """Rule or group, CPUs, MiB, minutes and GPUs of each kind of submission, and all output."""
    done = project.snakemake(*arguments, "--", "results/table3.csv")
    assert done.returncode == 0, done.stdout
    line = re.compile(r"^ *\d+ +(\d+) +(\d+) +(\d+) +(\d*) +(\w+)", re.M)
    found = line.findall(done.stdout.split("of what\n")[1])
    return {(name, *numbers) for *numbers, name in found}, done.stdout


def test_jobs_ask_by_the_parameters_of_what_was_fetched(paper):
    """125,239,296 and 331,196,416 parameters: 477.75 and 1,263.41 MiB in float32."""
    for name in ("opt-125m", "opt-350m"):
        folder = paper.folder / "hub" / name
        folder.mkdir(parents=True)
        (folder / "config.json").write_text((ROOT / f"resources/paper/{name}.json").read_text())
        manifest = paper.folder / "results" / "fetch" / "model" / f"{name}.json"
        manifest.parent.mkdir(parents=True, exist_ok=True)
        manifest.write_text(json.dumps({"folder": str(folder), "files": {}}))
    found, output = asked(paper, *PAPER)
    assert ("full", "2", str(4000 + 3822), str(60 + 286), "1") in found
    assert ("full", "2", str(4000 + 10107), str(60 + 758), "1") in found
    assert "is not there yet" not in output


def test_a_model_that_is_not_there_counts_as_a_stated_size(paper):
    found, output = asked(paper, *PAPER)
    assert ("full", "2", str(4000 + 8 * 2000), str(60 + 1200), "1") in found
    assert "Model opt-125m is not there yet" in output and "2000 MiB" in output


def test_a_retry_asks_for_more(paper):
    once, _ = asked(paper, *PAPER)
    twice, _ = asked(paper, *PAPER, "--attempt", "2")
    for name in ("full", "generate", "prune"):
        [(_, _, memory, minutes, _)] = [row for row in once if row[0] == name]
        [(_, _, more_memory, more_minutes, _)] = [row for row in twice if row[0] == name]
        assert int(more_memory) == 2 * int(memory) and int(more_minutes) == 2 * int(minutes)


def test_no_gpu_is_asked_for_where_the_device_is_the_cpu(paper):
    found, _ = asked(paper, "--profile", "profiles/slurm", "--dry-run", "--config", "device=cpu")
    assert {gpu for *_, gpu in found} == {""}
    found, _ = asked(paper, "--profile", "profiles/slurm", "--dry-run", "--config", "device=auto")
    assert {name for name, *_, gpu in found if gpu} == {
        *("prune", "full", "qlora", "generate", "measure", "score")
    }
    assert {gpu for *_, gpu in found} == {"", "1"}


def test_the_way_to_ask_for_a_gpu_changes_nothing_else(paper):
    """Of a group one job at a time has the GPU: times add up, and memory and CPUs do not."""
    usual, _ = asked(paper, *PAPER)
    assert {name for name, *_ in usual} >= {"score", "prune"}
    profile = paper.folder / "profiles" / "slurm" / "config.yaml"
    profile.write_text(
        profile.read_text().replace("slurm_gpu: --gpus=1", "slurm_gpu: --gres=gpu:1")
    )
    other, _ = asked(paper, *PAPER)
    assert {row for row in other if row[-1]} == {row for row in usual if row[-1]}


COMMANDS = {
    # Note the options, one a line, up to the command that is to run; and take no job.
    "sbatch": """for word; do case $word in --wrap*) break;; *) echo "$word";; esac; done >"$0.$$"
        exit 1""",
    "scontrol": "echo MinJobAge = 600 sec",
    "squeue": "",
    "sacctmgr": "echo bills",
    "sacct": "",
    "sinfo": "echo 'cards*'",
}


@pytest.fixture
def cluster(tmp_path, monkeypatch) -> Path:
    """A folder with SLURM's commands, before all others on the PATH."""
    folder = tmp_path / "slurm"
    folder.mkdir()
    for name, text in COMMANDS.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    return folder


def run(project: Project, options: str, *arguments: str) -> str:
    """Have a pruning, a group with a GPU and one without to submit, with `slurm_gpu` so set."""
    profile = project.folder / "profiles" / "slurm" / "config.yaml"
    mine = f"  slurm_account: bills\n  slurm_partition: cards\n  slurm_gpu: {options}"
    profile.write_text(re.sub(r"(?m)^  slurm_gpu:.*$", mine, profile.read_text()))
    project.use(project.models, device="auto")
    project.forget("prune/bills/tiny-pre/wanda_2of4/model.safetensors")
    project.forget("examples/bills/tiny-post/wanda_50/full.csv")
    # Its jobs are sent by threads: a true command, and no fork.
    done = project.command(
        *("--profile", "profiles/slurm", "--retries", "0", "--rerun-triggers", "mtime"),
        *("--slurm-init-seconds-before-status-checks", "1"),
        *(*arguments, "--", "results/prune/bills/tiny-pre/wanda_2of4/model.safetensors"),
        *("results/score/bills/tiny-post/wanda_50/full.json",),
        *("results/heldout/bills/tiny-pre.safetensors",),
    )
    assert done.returncode or arguments
    return done.stdout


@pytest.mark.parametrize(
    ("options", "sent"),
    [
        ("--gpus=1", {"--gpus=1"}),
        ("--gres=gpu:a100:1 --constraint=nvlink", {"--gres=gpu:a100:1", "-C", "nvlink"}),
    ],
)
def test_sbatch_is_asked_for_a_gpu_in_the_way_that_the_profile_says(
    project, cluster, options, sent
):
    output = run(project, options)
    asked = {}
    for file in cluster.glob("sbatch.*"):
        words = file.read_text().splitlines()
        [name] = [word.split("_")[1] for word in words if word.startswith("rule_")]
        asked[name] = {
            word for word in words if word in ("-C", "nvlink") or re.match("--g|.*gpu_mb", word)
        }
    # Memory of a GPU (gpu_mb) is for jobs that share one, and a job without a GPU asks for none.
    assert asked == {"prune": sent, "score": sent, "prepare": set()}, output[-3000:]


def test_the_dry_run_shows_how_a_gpu_is_asked_for(project):
    table = run(project, "--gres=gpu:a100:1 --constraint=nvlink", "-n").split("of what\n")[1]
    flags = "--gres=gpu:a100:1 --constraint=nvlink"
    assert re.search(rf"^ +1 +1 +3000 +20 +1  prune {flags}$", table, re.M), table
    assert re.search(rf"^ +1 +1 +4000 +60 +1  score: 1 examples \+ 1 score {flags}$", table, re.M)
    assert re.search(r"^ +1 +1 +2000 +30 +prepare: 1 heldout$", table, re.M), table


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (
            "--gres=gpu:2",
            "profiles/slurm/config.yaml, key 'slurm_gpu': '--gres=gpu:2' is no request for a GPU; "
            "allowed: --gpus=1, --gpus=TYPE:1, --gres=gpu:1 or --gres=gpu:TYPE:1",
        ),
        ("--gpus=1\n  gres: gpu:1", "profiles/slurm/config.yaml: 'gres' for rule all"),
    ],
)
def test_what_would_be_wrong_for_sbatch_is_refused_before(project, cluster, options, said):
    output = run(project, options)
    assert [line for line in output.splitlines() if line.startswith(said)], output[-3000:]
    assert "Traceback" not in output and not list(cluster.glob("sbatch.*"))


def test_a_folder_that_the_plugin_does_not_quote_is_refused_before(tmp_path, cluster, opt_folders):
    folder = tmp_path / "a$b"
    folder.mkdir()
    project = Project(folder)
    project.use({"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]})
    done = project.snakemake(
        *("--profile", "profiles/slurm", "--default-resources", "slurm_account=bills"),
        *("slurm_partition=cards", "--", "results/corpus/bills/test.jsonl"),
    )
    said = f"folder {folder}: its path has $, and the SLURM plugin does not quote it; rename"
    assert done.returncode and [line for line in done.stdout.splitlines() if said in line]
    assert "Traceback" not in done.stdout and not list(cluster.glob("sbatch.*"))
