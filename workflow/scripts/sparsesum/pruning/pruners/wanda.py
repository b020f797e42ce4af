"""Wanda: pruning by weights and activations (Sun et al., arXiv 2306.11695)."""

import torch

from sparsesum.experiment.patterns import Pattern
from sparsesum.pruning.activations import squared_norms as accumulate  # noqa: F401 - a pruner's function
from sparsesum.pruning.masks import lowest, lowest_of_rows


def sparsify(weight: torch.Tensor, state: torch.Tensor, pattern: Pattern) -> torch.Tensor:
    """Prune the weights of least |W_ij| * sqrt(s_j), in each output row by itself.

    Unstructured: exactly int(in * ratio) in each row; among equals the leftmost go. N:M: the m - n
    lowest of each group.

    weight: [out, in]; state: s, [in], the inputs' squared norms. Returns the same shape and dtype.
    An InputError if m does not divide `in`. Source: equation 1 and section 3; algorithm 1.
    """
    score = weight.abs() * state.sqrt()
    if pattern.m:
        mask = lowest(score, pattern.pruned, pattern.m)
    else:
        mask = lowest_of_rows(score, int(score.shape[1] * pattern.ratio))
    return weight.masked_fill(mask, 0)
