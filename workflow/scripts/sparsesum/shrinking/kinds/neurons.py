"""Fewer feed-forward neurons: those that say least to fc2 go (FASP, arXiv 2501.09412)."""

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
    compensate: bool = True,
    damping: float = 0.01,
) -> None:
    """Keep the share `amount` of each layer's neurons, a multiple of 8: those of the best score.

    compensate: fit what stays of fc2 to the dense outputs, `damping` as a share of the mean square
    of its inputs (`feed_forward.compensated`).
    """
    feed_forward.shrink(source, draft, amount, given, best, compensate, damping)


def best(weight: torch.Tensor, gram: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` neurons j of the highest sum over i of |W_ij| ||X_j||_2, ascending.

    weight: fc2's W, [out, in]; gram: X^T X of its inputs, [in, in]. Among equals the leftmost stay.
    Source: FASP's metric of a column, the sum of Wanda's scores (arXiv 2306.11695, equation 1).
    """
    scores = weight.abs().sum(0) * gram.diagonal().sqrt()
    return scores.argsort(descending=True, stable=True)[:count].sort().values
