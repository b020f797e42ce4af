"""What jobs would ask of SLURM, as a dry run shows it; it needs no SLURM."""

import json
import re

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
    assert ("full", "2", str(4000 + 3822), str(60 + 191), "1") in found
    assert ("full", "2", str(4000 + 10107), str(60 + 505), "1") in found
    assert "is not there yet" not in output


def test_a_model_that_is_not_there_counts_as_a_stated_size(paper):
    found, output = asked(paper, *PAPER)
    assert ("full", "2", str(4000 + 8 * 2000), str(60 + 800), "1") in found
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
