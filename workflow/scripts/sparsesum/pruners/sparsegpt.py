"""SparseGPT: one-shot pruning that mends the weights it keeps (Frantar & Alistarh, 2301.00774)."""

import logging
from typing import NamedTuple

import torch

from sparsesum.errors import InputError
from sparsesum.patterns import Pattern
from sparsesum.sparsity import grouped, lowest
from sparsesum.statistics import hessian as accumulate  # noqa: F401 - a pruner's function

log = logging.getLogger(__name__)

MOST_DAMPING = 100.0


class Factor(NamedTuple):
    """What Linears with the same inputs share.

    inverse: U, [in, in], upper triangular, with U^T U the inverse of the damped Hessian; dead:
    [in], the inputs that were always zero.
    """

    inverse: torch.Tensor
    dead: torch.Tensor


def prepare(hessian: torch.Tensor, exact: bool, damping: float = 0.01, **_: object) -> Factor:
    """Factorise a Hessian, [in, in], from `accumulate`, which is changed.

    `damping` is added to its diagonal, in shares of its mean; raised tenfold, with a warning in the
    log, while it cannot be factorised. An InputError if no damping helps. `exact`: by the reference
    code's three factorisations, not by one.
    """
    # Dead inputs first, damping second: a dead input's 1 is part of the mean that scales it.
    dead = hessian.diagonal() == 0
    hessian[dead, dead] = 1
    # `diag` copies: the mean of a strided view may differ in its last bit.
    mean = hessian.diag().mean()
    while True:
        damped = hessian.clone()
        damped.diagonal().add_(damping * mean)
        try:
            inverse = _inverse_as_the_reference(damped) if exact else _inverse(damped)
        except torch.linalg.LinAlgError:
            inverse = None
        if inverse is not None and inverse.isfinite().all():
            return Factor(inverse, dead)
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


def _inverse_as_the_reference(hessian: torch.Tensor) -> torch.Tensor:
    """U, upper triangular, with U^T U the inverse of H. All of [in, in].

    U_jj^2 is the first diagonal entry of the inverse of H's columns and rows from j on, and
    U_j / U_jj that inverse's first row over its first entry: all that the paper's sequence of
    inverses is needed for (algorithm 1).
    """
    factor = torch.linalg.cholesky(hessian)
    return torch.linalg.cholesky(torch.cholesky_inverse(factor), upper=True)


def _inverse(hessian: torch.Tensor) -> torch.Tensor:
    """The same U at half the cost: H = V V^T with V upper triangular, so U is V's inverse.

    V is the Cholesky factor of H with rows and columns in reverse order, turned back.
    """
    factor = torch.linalg.cholesky(hessian.flip(0, 1)).flip(0, 1)
    one = torch.eye(len(hessian), dtype=hessian.dtype, device=hessian.device)
    return torch.linalg.solve_triangular(factor, one, upper=True)


def sparsify(
    weight: torch.Tensor, factor: Factor, pattern: Pattern, block: int = 128, **_: object
) -> torch.Tensor:
    """Prune column by column, each time letting the columns to the right make up for the error.

    The score is w^2 / [H^-1]_jj, where H runs over the columns from j on. Unstructured: when a
    block of columns is reached, one threshold over all its weights, itself pruned; so at least one
    weight a block more than the ratio asks for. N:M: when a group is reached, the n lowest of each
    of its rows. Inputs that were always zero lose all their weights.

    weight: [out, in]; factor: from `prepare` (left as it is). `block`: columns between two updates
    of all columns to the right.

    Returns the same shape and dtype; computes in float32. An InputError if m does not divide `in`
    and `block`. Source: algorithm 1; section 3.2 for the choice of the mask, section 3.3 for N:M;
    the reference code for dead inputs.
    """
    if pattern.m:
        grouped(weight, pattern.m)
        if block % pattern.m:
            raise InputError(
                f"a block of {block} columns cannot be split into groups of {pattern.m}: "
                f"set sparsegpt's block to a multiple of {pattern.m}"
            )
    # Transposed: a column is then one run of memory. No float operation differs by it.
    columns = weight.to(torch.float32).t().contiguous()
    columns[factor.dead] = 0
    for start in range(0, len(columns), block):
        end = min(start + block, len(columns))
        inverse = factor.inverse[start:end, start:end]
        errors = _sparsify_block(columns[start:end], inverse, pattern)
        # The product itself not transposed: its sums would run otherwise.
        columns[end:] -= (errors.t().contiguous() @ factor.inverse[start:end, end:]).t()
    return columns.t().to(weight.dtype, copy=True, memory_format=torch.contiguous_format)


def _sparsify_block(columns: torch.Tensor, inverse: torch.Tensor, pattern: Pattern) -> torch.Tensor:
    """Prune a block of columns, [block, out], in place; return each one's error, [block, out]."""
    scale = inverse.diagonal().unsqueeze(1)
    errors = torch.empty_like(columns)
    if pattern.m:
        mask = torch.empty_like(columns, dtype=torch.bool)
    else:
        score = columns**2 / scale**2
        # The k-th smallest counts from 1.
        mask = score <= score.flatten().kthvalue(int(score.numel() * pattern.ratio) + 1).values
    for i, (column, error) in enumerate(zip(columns, errors, strict=True)):
        if pattern.m and i % pattern.m == 0:
            group = slice(i, i + pattern.m)
            score = columns[group] ** 2 / scale[group] ** 2
            mask[group] = lowest(score.t(), pattern.n, pattern.m).t()
        torch.div(column, scale[i], out=error).mul_(mask[i])
        columns[i + 1 :] -= inverse[i, i + 1 :, None] * error
    columns.masked_fill_(mask, 0)
    return errors
