"""Training on a GPU with true int8 kernels: zeros kept, broken off, the same bytes twice."""

import json
from pathlib import Path

import pytest
import torch
import trainings
from safetensors.torch import load_file

from sparsesum.base.files import sha256
from sparsesum.finetuning import training
from sparsesum.machine import device
from sparsesum.models import checkpoints
from sparsesum.pruning import checks

SETTINGS = {
    "epochs": 4,
    "learning_rate": 1e-2,
    "effective_batch": 8,
    "batch_size": "auto",
    "warmup_steps": 1,
    "schedule": "linear",
    "loss": "summary",
    "end_token": True,
    "checkpointing": "auto",
    "seed": 1,
    "log_every": 1,
    "rank": 4,
    "alpha": 8,
    "dropout": 0.1,
    "target_modules": ["q_proj", "k_proj", "v_proj", "fc1"],
}
KINDS = {
    "full fp32": ("full", {"precision": "fp32"}),
    "full bf16": ("full", {"precision": "bf16"}),
    "qlora int8 fp16": ("qlora", {"precision": "fp16", "engine": "int8"}),
    "qlora dense bf16": ("qlora", {"precision": "bf16", "engine": "dense"}),
}


def tune(kind, checkpoint, opt_folders, tokens, folder: Path, where, every=1e9, **more):
    """Train; returns the costs and the hash of every file of weights."""
    name, settings = KINDS[kind]
    notes = folder / "notes"
    notes.mkdir(parents=True, exist_ok=True)
    given = (checkpoint, tokens, opt_folders["pre"] / "tokenizer.json")
    settings = SETTINGS | settings | more
    costs = trainings.tune(name, given, folder, settings, where, notes, every)
    files = [*folder.glob("*.safetensors"), *(folder / "base").glob("*.safetensors")]
    files += (folder / "adapter").glob("*.safetensors")
    return costs, {str(file.relative_to(folder)): sha256(file) for file in files}


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", ["pre", "post"])
@pytest.mark.parametrize("base", ["dense", "pruned"])
def test_it_learns_and_keeps_every_zero(
    base, shape, kind, opt_folders, pruned, tokens, gpu, tmp_path
):
    checkpoint = (opt_folders if base == "dense" else pruned)[shape]
    costs, _ = tune(kind, checkpoint, opt_folders, tokens, tmp_path / "made", gpu)
    losses = [float(x.split(",")[3]) for x in (tmp_path / "made/curve.csv").read_text().split()[1:]]
    assert len(losses) == 8 and losses[-1] < losses[0] - 0.02
    assert costs["batch_size"] == 8 and not costs["checkpointing"]
    assert costs["device"] == torch.cuda.get_device_name()
    folder = tmp_path / "made" if kind.startswith("full") else tmp_path / "made" / "base"
    before, after = checkpoints.state(checkpoint), checkpoints.state(folder)
    zeros = checks.check_kept(before, after)
    assert (zeros > 0) == (base == "pruned")
    if not kind.startswith("full"):
        adapter = load_file(tmp_path / "made" / "adapter" / "adapter_model.safetensors")
        assert all(t.isfinite().all() and t.any() for t in adapter.values())
        assert {t.dtype for t in adapter.values()} == {torch.float32}
        config = json.loads((tmp_path / "made" / "adapter" / "adapter_config.json").read_text())
        assert config["r"] == 4


@pytest.mark.parametrize("kind", KINDS)
def test_deterministic_gives_the_same_bytes_twice(kind, opt_folders, pruned, tokens, tmp_path):
    where = device.prepare("cuda", 2, deterministic=True)
    one, other = (
        tune(kind, pruned["pre"], opt_folders, tokens, tmp_path / name, where)[1]
        for name in ("one", "other")
    )
    assert len(one) == 1 + kind.startswith("qlora") and one == other


@pytest.mark.parametrize("kind", ["full fp32", "qlora int8 fp16"])
def test_broken_off_it_goes_on_to_the_same_bytes(
    kind, opt_folders, pruned, tokens, tmp_path, monkeypatch
):
    where = device.prepare("cuda", 2, deterministic=True)
    given = (kind, pruned["post"], opt_folders, tokens)
    undisturbed = tune(*given, tmp_path / "undisturbed", where)[1]
    begin = training.Messages.on_step_begin

    def broken(self, args, state, control, **kwargs):
        if state.global_step == 5:
            raise KeyboardInterrupt
        return begin(self, args, state, control, **kwargs)

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(training.Messages, "on_step_begin", broken)
        tune(*given, tmp_path / "again", where, every=0)
    assert list((tmp_path / "again" / "notes").glob("checkpoint-*"))
    assert tune(*given, tmp_path / "again", where)[1] == undisturbed


def test_micro_batches_and_checkpointing_are_the_same_mathematics(
    opt_folders, tokens, gpu, tmp_path
):
    # Without dropout, which is drawn by the batch.
    plain = {"dropout": 0.0, "precision": "fp32", "engine": "dense"}
    ways = [
        {"batch_size": 8, "checkpointing": False},
        {"batch_size": 2, "checkpointing": False},
        {"batch_size": 4, "checkpointing": True},
    ]
    source = tmp_path / "source"
    model = checkpoints.load(opt_folders["post"])
    model.config.dropout = model.config.attention_dropout = 0.0
    checkpoints.save(model, source)
    finals = [
        tune(
            "qlora dense bf16", source, opt_folders, tokens, tmp_path / str(i), gpu, **plain | way
        )[0]["final_loss"]
        for i, way in enumerate(ways)
    ]
    assert finals[1] == pytest.approx(finals[0], abs=2e-3)
    assert finals[2] == pytest.approx(finals[0], abs=2e-3)


@pytest.mark.parametrize("effective", [8, 6])
@pytest.mark.parametrize("shape", ["pre", "post"])
def test_captured_steps_give_the_bytes_of_plain_ones(
    shape, effective, opt_folders, pruned, tokens, tmp_path, monkeypatch
):
    """16 examples by sixes: the last batch of an epoch is filled up."""
    where = device.prepare("cuda", 2, deterministic=True)
    given = ("qlora dense bf16", pruned[shape], opt_folders, tokens)
    replays = []
    capture = training.Labelled._capture
    monkeypatch.setattr(
        training.Labelled, "_capture", lambda *args: replays.append(1) or capture(*args)
    )
    graph = tune(*given, tmp_path / "graph", where, effective_batch=effective)[1]
    assert replays == [1]
    monkeypatch.setattr(training.Labelled, "WARM_UP", 1000)
    assert tune(*given, tmp_path / "plain", where, effective_batch=effective)[1] == graph
    assert replays == [1]
