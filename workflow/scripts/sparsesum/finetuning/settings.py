"""A training's settings and where it keeps its notes: what the configuration's section says."""

import math
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any, NamedTuple


@dataclass(frozen=True)
class Settings:
    """Of one training. The schema (workflow/schemas) says what each key means and may be.

    effective_batch: sequences a step; batch_size: sequences at a time, a divisor of it, or "auto";
    log_every: steps between two points of the loss curve; loss: "summary" or "sequence";
    checkpointing: of gradients: true, false or "auto"; precision: fp32, fp16, bf16 or auto.
    options: what the section has beside these, for the method alone.
    """

    epochs: float
    learning_rate: float
    effective_batch: int
    batch_size: int | str
    warmup_steps: int
    schedule: str
    loss: str
    end_token: bool
    precision: str
    checkpointing: bool | str
    log_every: int
    seed: int
    options: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def of(cls, section: dict[str, Any]) -> "Settings":
        """Those of a section of the configuration, which is valid, and its seed."""
        names = {each.name for each in fields(cls)} - {"options"}
        options = {key: value for key, value in section.items() if key not in names}
        return cls(**{name: section[name] for name in names}, options=options)


class Source(NamedTuple):
    """What is fine-tuned: a checkpoint's folder, a parquet file of tokens, a tokenizer.json."""

    checkpoint: Path
    tokens: Path
    tokenizer: Path


class Notes(NamedTuple):
    """The folder that a training resumes from if it is broken off, saved every so many seconds.

    What a run of the same arguments left there is resumed, with the same result.
    """

    folder: Path
    every: float = math.inf
