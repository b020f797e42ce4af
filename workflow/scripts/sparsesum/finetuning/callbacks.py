"""What a training says while it runs, and what it saves so that it can be resumed."""

import time
from pathlib import Path
from typing import Any

import torch
from transformers import TrainerCallback

from sparsesum.base.errors import InputError
from sparsesum.base.files import read_json, sha256, write_json
from sparsesum.jobs.job import Progress
from sparsesum.machine import device as devices


class Messages(TrainerCallback):
    """Says how far the training is; refuses one that would end before it has warmed up."""

    def __init__(self) -> None:
        self.progress: Progress | Any = None

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Begin to say how far it is; an InputError if the warm-up outlasts the training."""
        steps, warmup = state.max_steps, args.warmup_steps
        if warmup >= steps:
            raise InputError(
                f"warmup_steps is {warmup}, and the training has {steps} step{'s' * (steps > 1)}; "
                "allowed is less: lower it, or effective_batch, or raise epochs or the corpus's "
                "train records"
            )
        self.progress = Progress("training", steps, "steps")
        if state.global_step:
            self.progress.skip(state.global_step)

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Say the step and the loss curve's last point."""
        points = curve_of(state.log_history)
        self.progress(state.global_step, f"loss {points[-1]['loss']:.3f}" if points else "")


class Checkpoints(TrainerCallback):
    """Has the Trainer save its state every so many seconds, for a run that is broken off.

    Saved at a step at which the loss curve has a point, since the losses between two points are
    kept nowhere. Complete is a checkpoint with a mark, which has the hashes of its files. Saving
    changes nothing of the training, so a run may save as often as it takes.
    """

    MARK = "complete.json"

    def __init__(self, every: float, device: str) -> None:
        self.every, self.device = every, device
        self.begun = self.saved = time.monotonic()
        self.seconds = self.memory = 0.0
        self.devices = [device]

    def resume(self, folder: Path) -> Path | None:
        """The newest complete checkpoint in `folder`, whose costs count from now on; or None."""
        found = [(int(path.name.rpartition("-")[2]), path) for path in folder.glob("checkpoint-*")]
        for _, path in sorted(found, reverse=True):
            try:
                mark = read_json(path / self.MARK)
                whole = all(sha256(path / name) == sha for name, sha in mark["files"].items())
            except (OSError, ValueError):
                whole = False
            if whole:
                self.seconds, self.memory = mark["seconds"], mark["peak_memory_mb"]
                self.devices = list(dict.fromkeys([*mark["devices"], self.device]))
                return path
        return None

    def costs(self, device: torch.device) -> dict[str, Any]:
        """What was spent so far, breaks and saving left out."""
        return {
            "seconds": self.seconds + time.monotonic() - self.begun,
            "peak_memory_mb": max(self.memory, devices.peak_memory_mb(device)),
            "devices": self.devices,
        }

    def on_train_begin(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Time counts from here."""
        self.begun = self.saved = time.monotonic()

    def on_step_end(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Ask for a checkpoint if one is due and the loss curve has a point here."""
        due = time.monotonic() - self.saved >= self.every
        more = state.global_step < state.max_steps
        if due and more and state.global_step % args.logging_steps == 0:
            control.should_save = True
            self.saving = time.monotonic()

    def on_save(self, args: Any, state: Any, control: Any, **kwargs: Any) -> None:
        """Mark the checkpoint complete; the time that saving took does not count."""
        self.seconds += self.saving - self.begun
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        files = {file.name: sha256(file) for file in path.iterdir() if file.name != self.MARK}
        self.begun = self.saved = time.monotonic()
        write_json(path / self.MARK, self.costs(args.device) | {"files": files})


def curve_of(history: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """The points of the loss curve in a Trainer's log: step, epoch, learning_rate, loss."""
    return [
        {
            "step": entry["step"],
            "epoch": round(entry["epoch"], 4),
            "learning_rate": float(entry["learning_rate"]),
            "loss": float(entry["loss"]),
        }
        for entry in history
        if "loss" in entry
    ]
