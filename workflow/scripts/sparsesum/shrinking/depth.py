"""Decoder layers taken out of a checkpoint whole."""

import logging
import re
from collections.abc import Sequence
from pathlib import Path

from sparsesum.models.linears import DECODER
from sparsesum.models.tensorfile import TensorFile
from sparsesum.shrinking import cut

log = logging.getLogger("sparsesum")

LAYER = re.compile(rf"{re.escape(DECODER)}\.layers\.(\d+)\.(.+)")


def keep_layers(source: Path, draft: Path, stay: Sequence[int]) -> None:
    """Write the checkpoint of a folder with the layers `stay` alone, numbered anew as they come."""
    log.info("layers %s stay", ", ".join(map(str, stay)))
    shapes = cut.shapes(source)
    old = {}
    for name in shapes:
        match = LAYER.fullmatch(name)
        if match is None:
            old[name] = name
        elif int(match[1]) in stay:
            old[f"{DECODER}.layers.{stay.index(int(match[1]))}.{match[2]}"] = name
    changes = {"num_hidden_layers": len(stay)}
    target = cut.create(source, draft, changes, {name: shapes[old[name]] for name in old})
    tensors = TensorFile(Path(source) / "model.safetensors")
    for name in old:
        cut.put(target, name, tensors[old[name]])
