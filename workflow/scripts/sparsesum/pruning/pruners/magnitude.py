"""Magnitude pruning: the smallest weights go, whatever their inputs. Needs no calibration set."""

import torch

from sparsesum.experiment.patterns import Pattern
from sparsesum.pruning.masks import lowest, up_to_threshold


def sparsify(weight: torch.Tensor, state: None, pattern: Pattern) -> torch.Tensor:
    """Prune the weights of least |W|.

    Unstructured: one threshold for the whole matrix, which is itself pruned with all its equals, so
    at least one weight more than the ratio asks for. N:M: the m - n smallest of each group.

    weight: [out, in]; state: ignored. Returns the same shape and dtype. An InputError if m does not
    divide `in`. Source: the baseline of Wanda (arXiv 2306.11695, section 4), as in its code.
    """
    score = weight.abs()
    if pattern.m:
        mask = lowest(score, pattern.pruned, pattern.m)
    else:
        mask = up_to_threshold(score, pattern.ratio)
    return weight.masked_fill(mask, 0)
