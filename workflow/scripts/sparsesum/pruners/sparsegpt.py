"""SparseGPT: one-shot pruning that mends the weights it keeps (Frantar & Alistarh, 2301.00774)."""

import logging
import math

import torch

from sparsesum.errors import InputError
from sparsesum.patterns import Pattern
from sparsesum.sparsity import grouped, lowest

log = logging.getLogger(__name__)

MOST_DAMPING = 100.0


def accumulate(state: torch.Tensor | None, inputs: torch.Tensor, seen: int) -> torch.Tensor:
    """The Hessian of the layer's squared error, 2 X X^T, averaged over calibration sequences.

    inputs: [tokens, in], float32, of one sequence. Returns H, [in, in], float32, a mean over the
    `seen` sequences before and this one. Source: H = X X^T in section 3.1; the factor 2 and the
    order of the float operations are the reference code's.
    """
    scaled = math.sqrt(2 / (seen + 1)) * inputs.t()
    product = scaled @ scaled.t()
    return product if state is None else (state * (seen / (seen + 1))).add_(product)


def sparsify(
    weight: torch.Tensor,
    state: torch.Tensor,
    pattern: Pattern,
    damping: float = 0.01,
    block: int = 128,
) -> torch.Tensor:
    """Prune column by column, each time letting the columns to the right make up for the error.

    The score is w^2 / [H^-1]_jj, where H runs over the columns from j on. Unstructured: when a
    block of columns is reached, one threshold over all its weights, itself pruned; so at least one
    weight a block more than the ratio asks for. N:M: when a group is reached, the n lowest of each
    of its rows. Inputs that were always zero lose all their weights.

    weight: [out, in]; state: H, [in, in], from `accumulate` (left as it is). `damping`: added to
    H's diagonal, in shares of its mean; raised tenfold, with a warning in the log, while H cannot
    be factorised. `block`: columns between two updates of all columns to the right.

    Returns the same shape and dtype; computes in float32. An InputError if m does not divide `in`
    and `block`, or if no damping helps. Source: algorithm 1; section 3.2 for
    the choice of the mask, section 3.3 for N:M; the reference code for dead inputs.
    """
    if pattern.m:
        grouped(weight, pattern.m)
        if block % pattern.m:
            raise InputError(
                f"a block of {block} columns cannot be split into groups of {pattern.m}: "
                f"set sparsegpt's block to a multiple of {pattern.m}"
            )
    weights = weight.to(torch.float32, copy=True)
    hessian = state.clone()
    # Dead inputs first, damping second: a dead input's 1 is part of the mean that scales it.
    dead = hessian.diagonal() == 0
    hessian[dead, dead] = 1
    weights[:, dead] = 0
    inverse = _inverse_factor(hessian, damping)

    columns = weights.shape[1]
    for start in range(0, columns, block):
        end = min(start + block, columns)
        part = weights[:, start:end].clone()
        factor = inverse[start:end, start:end]
        scale = factor.diagonal()
        errors = torch.zeros_like(part)
        if pattern.m:
            mask = torch.zeros_like(part, dtype=torch.bool)
        else:
            score = part**2 / scale**2
            # The k-th smallest counts from 1.
            mask = score <= score.flatten().kthvalue(int(score.numel() * pattern.ratio) + 1).values
        for i in range(end - start):
            if pattern.m and i % pattern.m == 0:
                group = slice(i, i + pattern.m)
                score = part[:, group] ** 2 / scale[group] ** 2
                mask[:, group] = lowest(score, pattern.n, pattern.m)
            error = torch.where(mask[:, i], part[:, i] / scale[i], 0)
            part[:, i:] -= error.unsqueeze(1) * factor[i, i:]
            errors[:, i] = error
        weights[:, start:end] = part.masked_fill(mask, 0)
        weights[:, end:] -= errors @ inverse[start:end, end:]
    return weights.to(weight.dtype)


def _inverse_factor(hessian: torch.Tensor, damping: float) -> torch.Tensor:
    """U, upper triangular, with U^T U the inverse of the damped Hessian. All of [in, in].

    U_jj^2 is the first diagonal entry of the inverse of H's columns and rows from j on, and
    U_j / U_jj that inverse's first row over its first entry: all that the paper's sequence of
    inverses is needed for (algorithm 1).
    """
    # `diag` copies: the mean of a strided view may differ in its last bit.
    mean = hessian.diag().mean()
    while True:
        damped = hessian.clone()
        damped.diagonal().add_(damping * mean)
        try:
            factor = torch.linalg.cholesky(damped)
            factor = torch.linalg.cholesky(torch.cholesky_inverse(factor), upper=True)
        except torch.linalg.LinAlgError:
            factor = None
        if factor is not None and factor.isfinite().all():
            return factor
        raised = max(damping * 10, 0.01)
        if raised > MOST_DAMPING:
            raise InputError(
                f"the Hessian of its {len(hessian)} inputs cannot be factorised, even with damping "
                f"{damping:g}: calibrate on more, or other, text"
            )
        log.warning(
            "Cholesky failed on a Hessian of %d inputs at damping %g: trying %g",
            len(hessian),
            damping,
            raised,
        )
        damping = raised
