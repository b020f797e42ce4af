"""A control of `layers`: which layers go is drawn by lot."""

from pathlib import Path

import torch

from sparsesum.models import opt
from sparsesum.shrinking import cut, depth

NEEDS = ()


def shrink(source: Path, draft: Path, amount: float, given: cut.Given, seed: int = 0) -> None:
    """Keep the share `amount` of the decoder layers, rounded down, in their order."""
    total = opt.read_config(source)["num_hidden_layers"]
    count = cut.kept("decoder layers", total, amount)
    drawn = torch.randperm(total, generator=torch.Generator().manual_seed(seed))
    depth.keep_layers(source, draft, sorted(drawn[:count].tolist()))
