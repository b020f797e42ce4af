"""A training of a tiny model by any method, as tests want it."""

import math
from dataclasses import replace
from importlib import import_module
from pathlib import Path
from types import ModuleType

import torch

from sparsesum.finetuning.finetune import finetune
from sparsesum.finetuning.settings import Notes, Settings, Source

CPU = torch.device("cpu")
SETTINGS = {
    "epochs": 2,
    "learning_rate": 1e-2,
    "batch_size": 4,
    "effective_batch": 8,
    "engine": "int8",
    "warmup_steps": 1,
    "schedule": "linear",
    "loss": "summary",
    "end_token": True,
    "precision": "fp32",
    "checkpointing": False,
    "seed": 1,
    "log_every": 1,
    "rank": 4,
    "alpha": 8,
    "dropout": 0.05,
    "target_modules": ["q_proj", "k_proj", "v_proj"],
}


def method(name: str) -> ModuleType:
    """The method of fine-tuning of a name."""
    return import_module(f"sparsesum.finetuning.methods.{name}")


def tune(
    name: str,
    source: tuple[Path, Path, Path],
    folder: Path,
    settings: dict = SETTINGS,
    device: torch.device = CPU,
    notes: Path | None = None,
    every: float = math.inf,
    place: Path | None = None,
) -> dict:
    """Train by the method of a name into `folder`; returns the costs.

    source: a checkpoint, tokens, a tokenizer. notes: where the training is saved, by default beside
    the folder.
    """
    folder.mkdir(parents=True, exist_ok=True)
    notes = notes or folder.with_name(f"{folder.name}.notes")
    way, chosen = method(name), Settings.of(settings)
    options = {key: chosen.options[key] for key in getattr(way, "OPTIONS", ())}
    chosen = replace(chosen, options=options)
    return finetune(way, Source(*source), device, chosen, folder, Notes(notes, every), place)
