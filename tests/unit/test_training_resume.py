"""A training that is broken off resumes from its last checkpoint, to the same bytes."""

import shutil
from pathlib import Path

import pytest
import trainings

from sparsesum.base import files
from sparsesum.finetuning import training

pytestmark = pytest.mark.slow

SETTINGS = {
    "epochs": 3,
    "learning_rate": 1e-2,
    "batch_size": 2,
    "effective_batch": 4,
    "engine": "int8",
    "warmup_steps": 1,
    "schedule": "cosine",
    "loss": "summary",
    "end_token": True,
    "precision": "fp32",
    "checkpointing": False,
    "seed": 1,
    "log_every": 2,
    "rank": 4,
    "alpha": 8,
    "dropout": 0.3,
    "target_modules": ["q_proj", "fc1"],
}
MASKED = {"engine": "dense", "dropout": 0.0}
STEPS = 12  # 16 bills, 4 a step, 3 epochs


class Broken(Exception):
    """As the machine breaks off a training."""


@pytest.fixture
def break_after(monkeypatch):
    """Break the training off once a step is done."""
    on_step_begin = training.Messages.on_step_begin

    def after(step: int | None) -> None:
        def begin(self, args, state, control, **kwargs):
            if state.global_step == step:
                raise Broken
            return on_step_begin(self, args, state, control, **kwargs)

        monkeypatch.setattr(training.Messages, "on_step_begin", begin)

    return after


def tune(kind: str, opt_folders, tokens, folder: Path, every: float = 0) -> dict:
    notes = folder / "notes"
    notes.mkdir(parents=True, exist_ok=True)
    given = (opt_folders["post"], tokens, opt_folders["post"] / "tokenizer.json")
    settings = SETTINGS | (MASKED if kind == "sparse_qlora" else {})
    return trainings.tune(kind, given, folder / "made", settings, notes=notes, every=every)


def made(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in (folder / "made").rglob("*")
        if path.suffix in (".safetensors", ".csv")
    }


@pytest.fixture(scope="module", params=["full", "qlora", "sparse_qlora"])
def undisturbed(request, opt_folders, tokens, tmp_path_factory):
    """Which fine-tuning, and what it makes when nothing happens and nothing is saved."""
    folder = tmp_path_factory.mktemp("undisturbed")
    tune(request.param, opt_folders, tokens, folder, every=1e9)
    assert not list((folder / "notes").glob("checkpoint-*"))
    return request.param, made(folder)


@pytest.mark.parametrize("step", [3, 5, 8, 11])
def test_the_same_bytes_wherever_it_breaks(
    undisturbed, opt_folders, tokens, tmp_path, break_after, caplog, step
):
    caplog.set_level("INFO")
    kind, expected = undisturbed
    break_after(step)
    with pytest.raises(Broken):
        tune(kind, opt_folders, tokens, tmp_path)
    shutil.rmtree(tmp_path / "made")
    break_after(None)
    costs = tune(kind, opt_folders, tokens, tmp_path)
    last = step // 2 * 2  # where the loss curve has a point
    assert f"training: resuming from {last} of {STEPS} steps" in caplog.messages
    assert made(tmp_path) == expected
    assert costs["steps"] == STEPS


def test_broken_off_twice(undisturbed, opt_folders, tokens, tmp_path, break_after):
    kind, expected = undisturbed
    for step in (5, 9, None):
        break_after(step)
        try:
            costs = tune(kind, opt_folders, tokens, tmp_path)
        except Broken:
            shutil.rmtree(tmp_path / "made")
    assert made(tmp_path) == expected
    assert len(costs["device"].split(" / ")) == 1
    assert len(list((tmp_path / "notes").glob("checkpoint-*"))) <= 2


@pytest.mark.parametrize("fault", ["half-made", "truncated", "flipped"])
def test_a_damaged_checkpoint_is_passed_over(
    undisturbed, opt_folders, tokens, tmp_path, break_after, caplog, fault
):
    caplog.set_level("INFO")
    kind, expected = undisturbed
    break_after(7)
    with pytest.raises(Broken):
        tune(kind, opt_folders, tokens, tmp_path)
    shutil.rmtree(tmp_path / "made")
    newest = tmp_path / "notes" / "checkpoint-6"
    if fault == "half-made":  # killed before the mark was set
        (newest / "complete.json").unlink()
        (newest / "optimizer.pt").unlink()
    elif fault == "truncated":
        (newest / "optimizer.pt").write_bytes((newest / "optimizer.pt").read_bytes()[:-100])
    else:
        file = next(newest.glob("*model.safetensors"))
        content = bytearray(file.read_bytes())
        content[-50] ^= 1
        file.write_bytes(content)
    break_after(None)
    tune(kind, opt_folders, tokens, tmp_path)
    assert f"training: resuming from 4 of {STEPS} steps" in caplog.messages
    assert made(tmp_path) == expected


def test_seconds_are_those_of_all_runs(opt_folders, tokens, tmp_path, break_after, monkeypatch):
    break_after(5)
    with pytest.raises(Broken):
        tune("full", opt_folders, tokens, tmp_path)
    mark = tmp_path / "notes" / "checkpoint-4" / "complete.json"
    noted = files.read_json(mark)
    assert 0 < noted["seconds"] < 60
    files.write_json(mark, noted | {"seconds": 1000.0, "devices": ["another machine"]})
    break_after(None)
    costs = tune("full", opt_folders, tokens, tmp_path)
    assert 1000 < costs["seconds"] < 1060
    assert costs["device"].startswith("another machine / ")
