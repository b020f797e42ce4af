"""A pruning job that is killed, as a cluster kills jobs: the same command goes on."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from tests.workflow.project import GRID, Project

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
    project.use({"deep": tmp_path / "deep"}, GRID.splitlines()[0] + "\ndeep\tbase\tnone\tnone\n")
    return project


def kill_the_job(snakemake: subprocess.Popen, after: Path) -> None:
    """SIGKILL for the process that prunes, once the file `after` is there."""
    while not after.exists():
        assert snakemake.poll() is None, "it ended before it could be killed"
        time.sleep(0.002)
    for child in psutil.Process(snakemake.pid).children(recursive=True):
        if any(word.endswith(".prune.py") for word in child.cmdline()):
            os.kill(child.pid, signal.SIGKILL)
            return
    raise AssertionError("no pruning process")


def test_a_killed_job_goes_on_with_the_same_bytes(deep):
    target = deep.folder / TARGET
    scratch = target.parent.with_name(".sparsegpt_2of4.scratch")
    assert deep.snakemake("results/dense/deep/model.safetensors").returncode == 0
    running = subprocess.Popen(
        [
            sys.executable,
            "-m",
            "snakemake",
            "--cores",
            "1",
            "--configfile",
            "tiny.yaml",
            "--",
            TARGET,
        ],
        cwd=deep.folder,
        env={key: value for key, value in os.environ.items() if key != "PYTHONPATH"},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    kill_the_job(running, scratch / "inputs" / "10.f32")
    assert running.wait() != 0
    assert not target.exists() and scratch.is_dir()

    again = deep.snakemake("--", str(TARGET))
    assert again.returncode == 0, again.stdout[-3000:]
    line = next(line for line in again.stdout.splitlines() if "going on from layer" in line)
    assert int(line.split()[-3]) >= 10 and line.endswith(f"of {LAYERS}")
    assert not scratch.exists()
    resumed = target.read_bytes()

    shutil.rmtree(target.parent)
    undisturbed = deep.snakemake("--", str(TARGET))
    assert undisturbed.returncode == 0
    assert "going on" not in undisturbed.stdout
    assert target.read_bytes() == resumed


def test_what_a_killed_job_left_is_not_gone_on_from_with_other_settings(deep):
    target = deep.folder / TARGET
    scratch = target.parent.with_name(".sparsegpt_2of4.scratch")
    (scratch / "inputs").mkdir(parents=True)
    (scratch / "inputs" / "10.f32").write_bytes(b"of another damping")
    (scratch / "identity.json").write_text("{}")
    done = deep.snakemake("--", str(TARGET))
    assert done.returncode == 0, done.stdout[-3000:]
    assert "going on" not in done.stdout and not scratch.exists()
