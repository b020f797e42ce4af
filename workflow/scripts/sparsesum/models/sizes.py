"""What a row weighs: parameters, nonzero parameters, bytes: read from the files that deploy it."""

from collections.abc import Iterable
from math import prod
from pathlib import Path
from typing import Any

from safetensors import safe_open

QUANTISATION = ("SCB", "weight_format")
"""Tensors of an int8 checkpoint that describe its weights and are none themselves."""


def _tensors(file: Path) -> Iterable[tuple[str, Any]]:
    """(name, lazy slice or tensor) of every parameter in a safetensors file."""
    with safe_open(file, framework="pt") as tensors:
        for name in tensors.keys():  # noqa: SIM118 - safe_open is no dict
            if name.rpartition(".")[2] not in QUANTISATION:
                yield name, tensors


def parameters(files: Iterable[Path]) -> int:
    """Parameters in safetensors files, from the shapes alone."""
    return sum(
        prod(tensors.get_slice(name).get_shape())
        for file in files
        for name, tensors in _tensors(file)
    )


def nonzero_parameters(files: Iterable[Path]) -> int:
    """Parameters that are not zero, counted one tensor at a time; int8 weights as int8."""
    return sum(
        int(tensors.get_tensor(name).count_nonzero())
        for file in files
        for name, tensors in _tensors(file)
    )


def size_mb(files: Iterable[Path]) -> float:
    """The files' bytes, in MiB (the paper's MB)."""
    return sum(Path(file).stat().st_size for file in files) / 2**20
