"""What a model's shape alone tells: parameters and bytes, counted on torch's meta device."""

import json
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.models import linears


@dataclass(frozen=True)
class Counts:
    """Of one OPT shape; the head is tied to the embedding and counted once.

    parameters: all of them; prunable: the decoder's Linear weights; adapter: those of a LoRA
    adapter; int8_bytes: the weights with the decoder's Linears in LLM.int8() (a byte a weight, a
    float32 scale a row, one byte that names the layout) and the rest in float32.
    """

    parameters: int
    prunable: int
    adapter: int
    int8_bytes: int


def counts(config: dict[str, Any], rank: int, target_modules: Collection[str]) -> Counts:
    """Count a model of `config` (the contents of a Hub config.json) without its weights.

    The adapter has a [rank, in] and an [out, rank] matrix beside each Linear whose last name is in
    `target_modules` (arXiv 2106.09685, section 4.1).
    """
    with torch.device("meta"):
        model = OPTForCausalLM(OPTConfig.from_dict(config))
    sizes = {name: weight.shape for name, weight in model.named_parameters()}
    pruned = [shape for name, shape in sizes.items() if linears.WEIGHT.search(name)]
    prunable = sum(shape.numel() for shape in pruned)
    parameters = sum(shape.numel() for shape in sizes.values())
    return Counts(
        parameters=parameters,
        prunable=prunable,
        adapter=rank
        * sum(
            sum(shape)
            for name, shape in sizes.items()
            if linears.WEIGHT.search(name) and name.split(".")[-2] in target_modules
        ),
        int8_bytes=prunable + sum(4 * rows + 1 for rows, _ in pruned) + 4 * (parameters - prunable),
    )


def of_files(
    files: Iterable[str | Path], rank: int, target_modules: Collection[str]
) -> dict[str, Counts]:
    """The counts of each config.json, by its file's name without ".json"."""
    return {
        Path(file).stem: counts(
            json.loads(Path(file).read_text(encoding="utf-8")), rank, target_modules
        )
        for file in files
    }
