"""A control of `neurons`: which neurons go is drawn by lot, all else is the same."""

from pathlib import Path

import torch

from sparsesum.shrinking import feed_forward
from sparsesum.shrinking.cut import Given

NEEDS = ("calibration",)


def shrink(
    source: Path,
    draft: Path,
    amount: float,
    given: Given,
    seed: int = 0,
    compensate: bool = True,
    damping: float = 0.01,
) -> None:
    """Keep the share `amount` of each layer's neurons, a multiple of 8, drawn for each layer.

    compensate, damping: as `neurons` has them, so that the two differ by the choice alone.
    """
    generator = torch.Generator().manual_seed(seed)

    def drawn(weight: torch.Tensor, gram: torch.Tensor, count: int) -> torch.Tensor:
        order = torch.randperm(len(gram), generator=generator)
        return order[:count].sort().values.to(weight.device)

    feed_forward.shrink(source, draft, amount, given, drawn, compensate, damping)
