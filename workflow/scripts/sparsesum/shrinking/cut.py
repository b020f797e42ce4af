"""What all kinds of shrinking share: what they are given, how much stays, how it is written."""

import json
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import safe_open

from sparsesum.base import finite
from sparsesum.base.errors import InputError
from sparsesum.base.files import read_json, write_json
from sparsesum.models import opt
from sparsesum.models.tensorfile import TensorFile

HEAD = "lm_head.weight"


def _silent(done: int, text: str) -> None:
    pass


@dataclass(frozen=True)
class Given:
    """What a kind reads beside the model, where it computes, and whom it tells.

    sequences: the calibration set, [count, length] token ids, int64, without padding. texts: of the
    train split. tokenizer: the file that encodes them, the model's own by default. report: called
    now and then with a number of decoder layers that are done with, of all there are, and a few
    words; by `vocabulary`, with a number of texts.
    """

    sequences: torch.Tensor | None = None
    texts: Iterable[str] | None = None
    tokenizer: Path | None = None
    device: torch.device | str = "cpu"
    report: Callable[[int, str], None] = _silent


def kept(what: str, total: int, share: float, multiple: int = 1) -> int:
    """How many of `total` a share keeps: rounded down, to a multiple.

    An InputError, which says of `what` there are so many, where that is none or all.
    """
    # The product's last bits first: 0.57 of 100 is 57.
    count = math.floor(round(total * share, 6)) if 0 < share < 1 else 0
    count = count // multiple * multiple
    if not 0 < count < total:
        raise InputError(
            f"a share {share} of {total:,} {what}, rounded down to a multiple of {multiple}, is "
            "none or all; allowed is one that keeps some and takes some away"
        )
    return count


def shapes(source: Path) -> dict[str, list[int]]:
    """The shape of each tensor of a checkpoint folder; a head that is the embedding is none."""
    with safe_open(Path(source) / "model.safetensors", "pt") as tensors:
        names = tensors.keys()
        found = {name: tensors.get_slice(name).get_shape() for name in names}
    if opt.read_config(source)["tie_word_embeddings"]:
        found.pop(HEAD, None)
    return found


def create(
    source: Path, draft: Path, changes: dict[str, Any], shapes: Mapping[str, Sequence[int]]
) -> TensorFile:
    """Write the source's configuration with `changes`, and a file that holds tensors of `shapes`.

    They are float32 and zero until `put` writes them, one at a time. The bytes are those of
    `save_pretrained`: 8 bytes of length, a JSON header filled up with blanks to a multiple of 8,
    the tensors by name.
    """
    write_json(draft / "config.json", read_json(Path(source) / "config.json") | changes)
    header = {"__metadata__": {"format": "pt"}}  # type: dict[str, Any]
    end = 0
    for name in sorted(shapes):
        start, end = end, end + 4 * math.prod(shapes[name])
        header[name] = {"dtype": "F32", "shape": [*shapes[name]], "data_offsets": [start, end]}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    path = draft / "model.safetensors"
    with path.open("wb") as file:
        file.write(len(text).to_bytes(8, "little") + text)
        file.truncate(8 + len(text) + end)
    return TensorFile(path)


def put(target: TensorFile, name: str, tensor: torch.Tensor) -> None:
    """Write a tensor; an InputError that names it where it is not finite."""
    finite.check({name: tensor}, target.path.name)
    target[name] = tensor
