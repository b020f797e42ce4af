"""The training loop that full fine-tuning and QLoRA share: transformers' Trainer, told to be brief.

Source of the settings: "Pruning OPT for Summarization", section 3, and its authors' notebooks.
"""

import csv
import logging
import tempfile
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
from sparsesum.files import whole
from sparsesum.job import Progress

log = logging.getLogger("sparsesum")

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


class Curve(TrainerCallback):
    """Keeps the loss of every logged step, and says how far the training is."""

    def __init__(self) -> None:
        self.rows: list[dict] = []
        self.progress: Progress | None = None

    def on_log(self, args, state, control, logs=None, **kwargs) -> None:
        if "loss" in logs:
            self.rows.append(
                {
                    "step": state.global_step,
                    "epoch": round(logs["epoch"], 4),
                    "learning_rate": float(logs["learning_rate"]),
                    "loss": float(logs["loss"]),
                }
            )

    def on_step_end(self, args, state, control, **kwargs) -> None:
        if self.progress is None:
            self.progress = Progress(log, "training", state.max_steps, "steps")
        loss = f"loss {self.rows[-1]['loss']:.3f}" if self.rows else ""
        self.progress(state.global_step, loss)

    def write(self, path: Path) -> None:
        """The curve as CSV: step, epoch, learning_rate, loss (mean since the step before)."""
        with whole(path) as draft, draft.open("w", newline="") as file:
            writer = csv.DictWriter(file, ["step", "epoch", "learning_rate", "loss"])
            writer.writeheader()
            writer.writerows(self.rows)


def train(
    model: torch.nn.Module,
    data: Dataset,
    tokenizer_file: Path,
    device: torch.device,
    settings: dict,
    curve: Path,
) -> dict:
    """Train `model` in place. Returns seconds, steps, peak_memory_mb, examples and device.

    `settings`: epochs, learning_rate, batch_size, accumulation, warmup_steps, schedule,
    checkpointing (gradient checkpointing), precision (fp32, fp16, bf16 or auto), seed. A batch is
    padded to its longest sequence. The loss curve goes to the CSV file `curve`.
    """
    dtype = devices.dtype(settings["precision"], device)
    tokenizer = PreTrainedTokenizerFast(tokenizer_file=str(tokenizer_file), pad_token="<pad>")
    scratch = tempfile.TemporaryDirectory(prefix="sparsesum-")
    arguments = TrainingArguments(
        output_dir=scratch.name,
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
        save_strategy="no",
        report_to="none",
        logging_steps=settings["log_every"],
        disable_tqdm=True,
        dataloader_pin_memory=device.type != "cpu",
        remove_unused_columns=False,
    )
    record = Curve()
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=data,
        data_collator=DataCollatorForSeq2Seq(
            tokenizer, padding="longest", label_pad_token_id=IGNORED
        ),
        callbacks=[record],
    )
    # It would print each log line as a bare dict; ours says the same with the time left.
    trainer.remove_callback(PrinterCallback)
    start = time.perf_counter()
    trainer.train()
    seconds = time.perf_counter() - start
    record.write(curve)
    scratch.cleanup()
    return {
        "examples": len(data),
        "steps": trainer.state.global_step,
        "seconds": round(seconds, 3),
        "peak_memory_mb": round(devices.peak_memory_mb(device), 1),
        "device": devices.name(device),
        "final_loss": record.rows[-1]["loss"] if record.rows else None,
    }
