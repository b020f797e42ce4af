"""Wanda: pruning by weights and activations (Sun et al., arXiv 2306.11695)."""

import torch

from sparsesum.patterns import Pattern
from sparsesum.sparsity import lowest


def accumulate(state: torch.Tensor | None, inputs: torch.Tensor, seen: int) -> torch.Tensor:
    """The squared norm of each input feature, averaged over calibration sequences.

    inputs: [tokens, in], float32, of one sequence. Returns s, [in], float32: the sum over tokens of
    x_j^2, a mean over the `seen` sequences before and this one (not over tokens: the scale does not
    change the order of the scores, but rounding would). Source: ||X_j||_2 in equation 1.
    """
    norm = torch.linalg.vector_norm(inputs, dim=0) ** 2 / (seen + 1)
    return norm if state is None else state * (seen / (seen + 1)) + norm


def sparsify(weight: torch.Tensor, state: torch.Tensor, pattern: Pattern) -> torch.Tensor:
    """Prune the weights of least |W_ij| * sqrt(s_j), in each output row by itself.

    Unstructured: exactly int(in * ratio) in each row; among equals the leftmost go. N:M: the n
    lowest of each group.

    weight: [out, in]; state: s, [in], from `accumulate`. Returns the same shape and dtype. An
    InputError if m does not divide `in`. Source: equation 1 and section 3; algorithm 1.
    """
    score = weight.abs() * state.sqrt()
    if pattern.m:
        mask = lowest(score, pattern.n, pattern.m)
    else:
        order = score.sort(dim=1, stable=True).indices
        mask = torch.zeros_like(score, dtype=torch.bool)
        mask.scatter_(1, order[:, : int(score.shape[1] * pattern.ratio)], True)
    return weight.masked_fill(mask, 0)
