"""A pruning job that is killed, as a cluster kills jobs: the same command resumes."""

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from tests.workflow.project import GRID, Project, rule_of

pytestmark = pytest.mark.long("true commands, whose jobs are long enough to be killed under way")

LAYERS = 60
TARGET = Path("results/prune/bills/deep/sparsegpt_2of4/model.safetensors")


@pytest.fixture
def deep(tmp_path: Path, opt_folders) -> Project:
    """A project with a model of many layers: seconds of SparseGPT."""
    torch.manual_seed(0)
    config = OPTConfig(
        vocab_size=512,
        hidden_size=128,
        num_hidden_layers=LAYERS,
        ffn_dim=512,
        num_attention_heads=4,
        max_position_embeddings=512,
        word_embed_proj_dim=128,
    )
    OPTForCausalLM(config).save_pretrained(tmp_path / "deep")
    shutil.copy(opt_folders["pre"] / "tokenizer.json", tmp_path / "deep")
    (tmp_path / "p").mkdir()
    project = Project(tmp_path / "p")
    grid = GRID.splitlines()[0] + "\ndeep\tbase\tnone\tnone\n"
    project.use({"deep": tmp_path / "deep"}, grid, save_every=0)
    return project


def kill_once(running: subprocess.Popen, rule: str, after: Path) -> None:
    """SIGKILL for the process of a rule's job, once the file `after` is there."""
    while not after.exists():
        assert running.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    for child in psutil.Process(running.pid).children(recursive=True):
        if rule_of(child) == rule:
            os.kill(child.pid, signal.SIGKILL)
            running.communicate()
            assert running.returncode != 0
            return
    raise AssertionError(f"no process of {rule}")


def going_on(output: str) -> str:
    """The one line that says so."""
    (line,) = [line for line in output.splitlines() if "resuming from" in line]
    return line.rpartition("resuming from ")[2]


def test_a_killed_pruning_goes_on_with_the_same_bytes(deep):
    target = deep.folder / TARGET
    scratch = target.parent.with_name(".sparsegpt_2of4.scratch")
    assert deep.snakemake("results/dense/deep/model.safetensors").returncode == 0
    with deep.start("--", str(TARGET)) as running:
        kill_once(running, "prune", scratch / "inputs" / "10.f32")
    assert not target.exists() and scratch.is_dir()

    again = deep.snakemake("--", str(TARGET))
    assert again.returncode == 0, again.stdout[-3000:]
    layer, _, layers = going_on(again.stdout).removeprefix("layer ").split()
    assert int(layer) >= 10 and int(layers) == LAYERS
    assert not scratch.exists()
    resumed = target.read_bytes()

    shutil.rmtree(target.parent)
    undisturbed = deep.snakemake("--", str(TARGET))
    assert undisturbed.returncode == 0
    assert "resuming" not in undisturbed.stdout
    assert target.read_bytes() == resumed


def test_what_a_killed_job_left_is_not_gone_on_from_with_other_settings(deep):
    target = deep.folder / TARGET
    scratch = target.parent.with_name(".sparsegpt_2of4.scratch")
    (scratch / "inputs").mkdir(parents=True)
    (scratch / "inputs" / "10.f32").write_bytes(b"of another damping")
    (scratch / "identity.json").write_text("{}")
    done = deep.snakemake("--", str(TARGET))
    assert done.returncode == 0, done.stdout[-3000:]
    assert "resuming" not in done.stdout and not scratch.exists()


@pytest.mark.parametrize(
    ("rule", "target", "scratch", "after"),
    [
        ("full", "full/bills/tiny-pre/dense/model.safetensors", ".dense.scratch",
         "checkpoint-40/complete.json"),
        ("qlora", "qlora/bills/tiny-pre/wanda_2of4/adapter/adapter_model.safetensors",
         ".wanda_2of4.scratch", "checkpoint-40/complete.json"),
        ("generate", "generate/bills/tiny-pre/dense/base/test.jsonl", ".base.scratch",
         "test/batches-of-1-2.json"),
    ],
)  # fmt: skip
def test_a_killed_job_goes_on_with_the_same_bytes(project, rule, target, scratch, after):
    long = {"epochs": 60}
    project.use(
        project.models, full=long, qlora=long, save_every=0,
        generate={"batch_size": 1, "max_new_tokens": 120},
    )  # fmt: skip
    made = project.folder / "results" / target
    artifact = f"results/{target}"
    undisturbed = project.snakemake("--", artifact)
    assert undisturbed.returncode == 0, undisturbed.stdout[-3000:]
    expected = made.read_bytes()
    stage = project.folder / "results" / target.partition("/bills")[0]
    shutil.rmtree(stage)

    with project.start("--", artifact) as running:
        folder = made.parent.parent if rule == "qlora" else made.parent
        place = folder.parent
        kill_once(running, rule, place / scratch / after)
    assert not made.exists() and (place / scratch).is_dir()
    again = project.snakemake("--", artifact)
    assert again.returncode == 0, again.stdout[-3000:]
    least, total = (3, "5 bills") if rule == "generate" else (40, "180 steps")
    begun, _, of = going_on(again.stdout).partition(" of ")
    assert int(begun) >= least and of == total
    assert made.read_bytes() == expected
    assert not list(stage.rglob("*.scratch")) and not list(stage.rglob("checkpoint-*"))
