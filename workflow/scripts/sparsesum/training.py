"""The training loop that full fine-tuning and QLoRA share: transformers' Trainer, told to be brief.

Source of the settings: "Pruning OPT for Summarization", section 3, and its authors' notebooks.
"""

import csv
import math
import time
from pathlib import Path

import torch
from datasets import Dataset
from transformers import (
    DataCollatorForSeq2Seq,
    PreTrainedTokenizerFast,
    Trainer,
    TrainerCallback,
    TrainingArguments,
)
from transformers.trainer_callback import PrinterCallback

from sparsesum import device as devices
from sparsesum.files import read_json, sha256, whole, write_json
from sparsesum.job import Progress

IGNORED = -100
"""The label of a token that the loss does not cover."""


def examples(tokens: Path, loss: str, end_token: int | None) -> Dataset:
    """Training examples from a parquet file of tokens: input_ids, attention_mask, labels.

    `loss` is "summary" (labels cover the summary and "### End") or "sequence" (the prompt too, as
    in the paper). `end_token`, where given, is appended and learned.
    """

    def example(row: dict) -> dict:
        ids = [*row["input_ids"], *([] if end_token is None else [end_token])]
        hidden = row["summary_start"] if loss == "summary" else 0
        return {
            "input_ids": ids,
            "attention_mask": [1] * len(ids),
            "labels": [IGNORED] * hidden + ids[hidden:],
        }

    import pandas

    rows = pandas.read_parquet(tokens, columns=["input_ids", "summary_start"])
    return Dataset.from_list([example(row) for row in rows.to_dict("records")])


class Told(TrainerCallback):
    """Says how far the training is."""

    def __init__(self) -> None:
        self.progress: Progress | None = None

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        self.progress = Progress("training", state.max_steps, "steps")
        if state.global_step:
            self.progress.skip(state.global_step)

    def on_step_end(self, args, state, control, **kwargs) -> None:
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

    def costs(self, device: torch.device) -> dict:
        """What was spent so far, breaks and saving left out."""
        return {
            "seconds": self.seconds + time.monotonic() - self.begun,
            "peak_memory_mb": max(self.memory, devices.peak_memory_mb(device)),
            "devices": self.devices,
        }

    def on_train_begin(self, args, state, control, **kwargs) -> None:
        self.begun = self.saved = time.monotonic()

    def on_step_end(self, args, state, control, **kwargs) -> None:
        due = time.monotonic() - self.saved >= self.every
        more = state.global_step < state.max_steps
        if due and more and state.global_step % args.logging_steps == 0:
            control.should_save = True
            self.saving = time.monotonic()

    def on_save(self, args, state, control, **kwargs) -> None:
        self.seconds += self.saving - self.begun
        path = Path(args.output_dir) / f"checkpoint-{state.global_step}"
        files = {file.name: sha256(file) for file in path.iterdir() if file.name != self.MARK}
        self.begun = self.saved = time.monotonic()
        write_json(path / self.MARK, self.costs(args.device) | {"files": files})


def curve_of(history: list[dict]) -> list[dict]:
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


def train(
    model: torch.nn.Module,
    data: Dataset,
    tokenizer_file: Path,
    device: torch.device,
    settings: dict,
    curve: Path,
    notes: Path,
    save_every: float = math.inf,
) -> dict:
    """Train `model` in place. Returns seconds, steps, peak_memory_mb, examples and device.

    The training's state is saved to the folder `notes` every `save_every` seconds; what a broken
    off run of the same arguments left there is gone on from, with the same result.

    `settings`: epochs, learning_rate, batch_size, accumulation, warmup_steps, schedule,
    checkpointing (gradient checkpointing), precision (fp32, fp16, bf16 or auto), seed. A batch is
    padded to its longest sequence. The loss curve goes to the CSV file `curve` (loss: mean since
    the point before).
    """
    dtype = devices.dtype(settings["precision"], device)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file), pad_token="<pad>")
    arguments = TrainingArguments(
        output_dir=str(notes),
        num_train_epochs=settings["epochs"],
        learning_rate=settings["learning_rate"],
        per_device_train_batch_size=settings["batch_size"],
        gradient_accumulation_steps=settings["accumulation"],
        warmup_steps=settings["warmup_steps"],
        lr_scheduler_type=settings["schedule"],
        gradient_checkpointing=settings["checkpointing"],
        fp16=dtype == torch.float16,
        bf16=dtype == torch.bfloat16,
        optim="adamw_torch",
        weight_decay=0.0,
        seed=settings["seed"],
        use_cpu=device.type == "cpu",
        save_strategy="no",  # Checkpoints says when
        save_total_limit=2,  # one is complete while the next is written
        report_to="none",
        logging_steps=settings["log_every"],
        disable_tqdm=True,
        dataloader_pin_memory=device.type != "cpu",
        remove_unused_columns=False,
    )
    checkpoints = Checkpoints(save_every, devices.name(device))
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        data_collator=DataCollatorForSeq2Seq(
            tokenizer, padding="longest", label_pad_token_id=IGNORED
        ),
        callbacks=[Told(), checkpoints],
    )
    # It would print each log line as a bare dict; ours says the same with the time left.
    trainer.remove_callback(PrinterCallback)
    last = checkpoints.resume(notes)
    trainer.train(resume_from_checkpoint=None if last is None else str(last))
    costs = checkpoints.costs(device)
    points = curve_of(trainer.state.log_history)
    with whole(curve) as draft, draft.open("w", newline="") as file:
        writer = csv.DictWriter(file, ["step", "epoch", "learning_rate", "loss"])
        writer.writeheader()
        writer.writerows(points)
    return {
        "examples": len(data),
        "steps": trainer.state.global_step,
        "seconds": round(costs["seconds"], 3),
        "peak_memory_mb": round(costs["peak_memory_mb"], 1),
        # Of a training that went on elsewhere, all of them.
        "device": " / ".join(costs["devices"]),
        "final_loss": points[-1]["loss"] if points else None,
    }
