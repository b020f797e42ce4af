"""Magnitude pruning: the smallest weights go, whatever their inputs. Needs no calibration set."""

import torch

from sparsesum.patterns import Pattern
from sparsesum.sparsity import lowest


def sparsify(weight: torch.Tensor, state: None, pattern: Pattern) -> torch.Tensor:
    """Prune the weights of least |W|.

    Unstructured: one threshold for the whole matrix, which is itself pruned with all its equals, so
    at least one weight more than the ratio asks for. N:M: the n smallest of each group.

    weight: [out, in]; state: ignored. Returns the same shape and dtype. An InputError if m does not
    divide `in`. Source: the baseline of Wanda (arXiv 2306.11695, section 4), as in its code.
    """
    score = weight.abs()
    if pattern.m:
        mask = lowest(score, pattern.n, pattern.m)
    else:
        # The k-th smallest counts from 1; a full sort would give the same value, later.
        threshold = score.flatten().kthvalue(int(score.numel() * pattern.ratio) + 1).values
        mask = score <= threshold
    return weight.masked_fill(mask, 0)
