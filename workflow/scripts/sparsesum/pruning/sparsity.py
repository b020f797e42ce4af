"""Zeros in a checkpoint's file, tensor by tensor; without torch, so that it starts at once."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy
from safetensors import safe_open

from sparsesum.models import linears, packing

QUANTISATION = (".SCB", ".weight_format")
"""What an int8 checkpoint has beside its weights."""


def count(file: Path) -> Iterator[dict[str, Any]]:
    """Each tensor of a safetensors file: tensor, layer, linear, zeros and weights (their number).

    layer and linear are blank for what is no Linear of the decoder's layers. An int8 weight that is
    0 stands for 0.0 (symmetric quantisation). float32, float16 and integers, packed or not; one
    tensor at a time is in memory.
    """
    with safe_open(file, framework="numpy") as tensors:
        for each in sorted(packing.held(tensors), key=lambda each: _natural(each.name)):
            if each.name.endswith(QUANTISATION):
                continue
            linear = linears.WEIGHT.search(each.name)
            nonzero = int(numpy.count_nonzero(tensors.get_tensor(each.key)))
            yield {
                "tensor": each.name,
                "layer": linear[1] if linear else "",
                "linear": linear[2] if linear else "",
                "zeros": each.weights - nonzero,
                "weights": each.weights,
            }


def _natural(name: str) -> list[Any]:
    """A key by which layer 2 comes before layer 10."""
    return [int(part) if part.isdigit() else part for part in re.split(r"(\d+)", name)]
