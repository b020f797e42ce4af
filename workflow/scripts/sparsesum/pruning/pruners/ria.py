"""RIA: pruning by relative importance and activations (Zhang et al., arXiv 2402.05406)."""

import torch

from sparsesum.experiment.patterns import Pattern
from sparsesum.pruning.activations import squared_norms as accumulate  # noqa: F401 - a pruner's function
from sparsesum.pruning.masks import lowest, up_to_threshold


def sparsify(
    weight: torch.Tensor, state: torch.Tensor, pattern: Pattern, power: float = 0.5
) -> torch.Tensor:
    """Prune the weights of least (|W_ij| / sum_i |W_ij| + |W_ij| / sum_j |W_ij|) * ||X_j||^power.

    Unstructured: one threshold for the whole matrix. N:M: the m - n lowest of each group,
    without the paper's permutation of channels.

    weight: [out, in]; state: [in], the inputs' squared norms. Returns the same shape and dtype. An
    InputError if m does not divide `in`. Source: equations 3 and 4; ties as in its code.
    """
    size = weight.abs().float()
    # A row or column of zeros has no importance; it would have no number.
    tiny = torch.finfo(size.dtype).tiny
    columns, rows = (size.sum(dim, keepdim=True).clamp_min(tiny) for dim in (0, 1))
    score = (size / columns + size / rows) * state.sqrt() ** power
    if pattern.m:
        mask = lowest(score, pattern.pruned, pattern.m)
    else:
        mask = up_to_threshold(score, pattern.ratio)
    return weight.masked_fill(mask, 0)
