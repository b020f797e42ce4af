"""What a row weighs: parameters, nonzero parameters, bytes: read from the files that deploy it."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from safetensors import safe_open

from sparsesum.models import packing

QUANTISATION = ("SCB", "weight_format")
"""Tensors of an int8 checkpoint that describe its weights and are none themselves."""


def _tensors(file: Path) -> Iterable[tuple[packing.Held, Any]]:
    """What holds parameters in a safetensors file, packed or not, and the open file."""
    with safe_open(file, framework="pt") as tensors:
        for each in packing.held(tensors):
            if each.name.rpartition(".")[2] not in QUANTISATION:
                yield each, tensors


def parameters(files: Iterable[Path]) -> int:
    """Parameters in safetensors files, from the shapes alone."""
    return sum(each.weights for file in files for each, _ in _tensors(file))


def nonzero_parameters(files: Iterable[Path]) -> int:
    """Parameters that are not zero, counted one tensor at a time; int8 weights as int8."""
    return sum(
        int(tensors.get_tensor(each.key).count_nonzero())
        for file in files
        for each, tensors in _tensors(file)
    )


def size_mb(files: Iterable[Path]) -> float:
    """The files' bytes, in MiB (the paper's MB)."""
    return sum(Path(file).stat().st_size for file in files) / 2**20
