"""A training that diverges stops at the step at which it does, and saves nothing of it."""

import math
from pathlib import Path

import pytest
import torch
from test_training_resume import SETTINGS, STEPS, tune

from sparsesum.base.errors import InputError
from sparsesum.base.files import read_csv
from sparsesum.finetuning import training, watch

CPU = torch.device("cpu")
NAN, INF = math.nan, math.inf


def observe(watching: watch.Watch, losses: list[float], norms: list[float], first: int = 1) -> None:
    for step, (loss, norm) in enumerate(zip(losses, norms, strict=True), start=first):
        watching.observe(step, torch.tensor(loss), torch.tensor(norm), 0.5 / step)


@pytest.mark.parametrize(
    ("losses", "norms", "said"),
    [
        ([1.0, NAN, NAN], [1.0, 2.0, NAN], "step 2 of 9: .*: loss nan, .* 2, learning rate 0.25;"),
        ([1.0, 3.0, INF], [1.0, 2.0, 1.0], "step 3 of 9: .*: loss inf, .* 1, learning rate 0.1667"),
        ([1.0, 3.0, 2.0], [1.0, INF, NAN], "step 2 of 9: .*: loss 3, .* inf, learning rate 0.25"),
    ],
)
def test_the_first_bad_step_is_named(losses, norms, said):
    watching = watch.Watch(CPU, scaled=False)
    observe(watching, losses, norms)
    with pytest.raises(InputError, match=said) as told:
        watching.check(9)
    assert "lower learning_rate" in str(told.value) and "bf16" not in str(told.value)


def test_a_sound_training_is_left_alone():
    watching = watch.Watch(CPU, scaled=False)
    observe(watching, [1e30, 0.0], [1e38, 0.0])
    watching.check(2)


def test_loss_scaling_may_skip_steps():
    """As float16 does at its first steps, until its scale fits."""
    watching = watch.Watch(CPU, scaled=True)
    observe(watching, [1.0] * 21, [INF] * 10 + [1.0] + [NAN] * 10)
    watching.check(99)
    observe(watching, [1.0] * 20, [1.0] + [INF] * 19, first=22)
    watching.check(99)
    observe(watching, [1.0] * 3, [INF] * 3, first=42)
    with pytest.raises(InputError, match="^step 43 of 99: .* or train with precision bf16"):
        watching.check(99)


def test_no_scaling_mends_a_forward_pass():
    watching = watch.Watch(CPU, scaled=True)
    observe(watching, [NAN], [NAN])
    with pytest.raises(InputError, match="^step 1 of 2"):
        watching.check(2)


@pytest.mark.parametrize("kind", ["full", "qlora"])
def test_a_training_that_diverges_is_no_result(kind, opt_folders, tokens, tmp_path, monkeypatch):
    """It used to end well: "final loss 0.0", and every weight NaN."""
    monkeypatch.setitem(SETTINGS, "learning_rate", 1e11)
    monkeypatch.setitem(SETTINGS, "warmup_steps", 5)
    # The first steps are at no rate, or a small one: what they leave is sound.
    monkeypatch.setitem(SETTINGS, "log_every", 1)
    with pytest.raises(InputError, match=rf"^step \d+ of {STEPS}: .* learning rate \de\+10"):
        tune(kind, opt_folders, tokens, tmp_path)
    assert not list((tmp_path / "made").rglob("*.csv"))
    names = {path.parent.name for path in (tmp_path / "made").rglob("*.safetensors")}
    assert names <= {"base"}  # QLoRA's, which no training changes
    assert list((tmp_path / "notes").glob("checkpoint-*"))


@pytest.mark.parametrize("size", [2, 4], ids=["by halves", "at once"])
def test_a_bad_part_of_a_step_is_seen(size, opt_folders, tokens, tmp_path, monkeypatch):
    """The gradients of one batch of many are not finite, and no weight is changed by them."""
    monkeypatch.setitem(SETTINGS, "batch_size", size)
    compute_loss, calls, weights = training.Labelled.compute_loss, [], []

    def once_nan(self, model, *args, **kwargs):
        calls.append(1)
        weights.append(next(model.parameters()).detach().clone())
        loss = compute_loss(self, model, *args, **kwargs)
        return loss * NAN if len(calls) == 3 * 4 // size else loss

    monkeypatch.setattr(training.Labelled, "compute_loss", once_nan)
    with pytest.raises(InputError, match=f"^step 3 of {STEPS}: .*loss nan"):
        tune("full", opt_folders, tokens, tmp_path)
    assert all(weight.isfinite().all() for weight in weights)


@pytest.mark.parametrize("size", [2, 4], ids=["by halves", "at once"])
def test_what_is_looked_at_is_the_loss_of_each_step(
    size, opt_folders, tokens, tmp_path, monkeypatch
):
    monkeypatch.setitem(SETTINGS, "batch_size", size)
    monkeypatch.setitem(SETTINGS, "log_every", 1)
    seen = []
    monkeypatch.setattr(
        training.Watch, "observe", lambda self, step, loss, *_: seen.append((step, float(loss)))
    )
    tune("full", opt_folders, tokens, tmp_path)
    curve = read_csv(tmp_path / "made" / "curve.csv")
    assert seen == [(int(row["step"]), pytest.approx(float(row["loss"]))) for row in curve]


def test_weights_are_looked_at_once_more(opt_folders, tokens, tmp_path: Path, monkeypatch):
    """What went wrong after the last step's gradients, in the optimizer say."""
    costs = training.train

    def broken(trainable, *args):
        result = costs(trainable, *args)
        with torch.no_grad():
            trainable.model.get_parameter("model.decoder.final_layer_norm.weight")[1] = INF
        return result

    monkeypatch.setattr(training, "train", broken)
    with pytest.raises(InputError, match="final_layer_norm.weight: 1 of .* NaN or infinite"):
        tune("full", {"post": opt_folders["pre"]}, tokens, tmp_path)
    assert not list((tmp_path / "made").rglob("*.safetensors"))
