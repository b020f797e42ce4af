"""SparseGPT: one-shot pruning that mends the weights it keeps (Frantar & Alistarh, 2301.00774)."""

import logging
from functools import cache
from typing import NamedTuple

import torch

from sparsesum.base.errors import InputError
from sparsesum.experiment.patterns import Pattern
from sparsesum.pruning.activations import hessian as accumulate  # noqa: F401 - a pruner's function
from sparsesum.pruning.masks import grouped, lowest, up_to_threshold
from sparsesum.pruning.products import linear

log = logging.getLogger(__name__)

MOST_DAMPING = 100.0
HALVED = 256
"""Rows of a matrix that LAPACK factorises; larger ones are halved."""


class Factor(NamedTuple):
    """What Linears with the same inputs share.

    inverse: U, [in, in], upper triangular, with U^T U the inverse of the damped Hessian; dead:
    [in], the inputs that were always zero; exact: sums run in the reference code's order.
    """

    inverse: torch.Tensor
    dead: torch.Tensor
    exact: bool


def prepare(hessian: torch.Tensor, exact: bool, damping: float = 0.01, **_: object) -> Factor:
    """Factorise a Hessian, [in, in], from `accumulate`, which is changed.

    `damping` is added to its diagonal, in shares of its mean; raised tenfold, with a warning in the
    log, while it cannot be factorised. An InputError if no damping helps. `exact`: by the reference
    code's three factorisations, which take three times as long as one.
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
            inverse = _as_the_reference(damped) if exact else _at_once(damped)
        except torch.linalg.LinAlgError:
            inverse = None
        if inverse is not None and inverse.isfinite().all():
            return Factor(inverse, dead, exact)
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


def _as_the_reference(hessian: torch.Tensor) -> torch.Tensor:
    """U, upper triangular, with U^T U the inverse of H. All of [in, in].

    U_jj^2 is the first diagonal entry of the inverse of H's columns and rows from j on, and
    U_j / U_jj that inverse's first row over its first entry: all that the paper's sequence of
    inverses is needed for (algorithm 1).
    """
    factor = torch.linalg.cholesky(hessian)
    return torch.linalg.cholesky(torch.cholesky_inverse(factor), upper=True)


def _at_once(hessian: torch.Tensor) -> torch.Tensor:
    """The same U, as the inverse of V in H = V V^T with V upper triangular.

    V is the Cholesky factor of H with rows and columns in reverse order, turned back.
    """
    return _inverse_of_cholesky(hessian.flip(0, 1)).flip(0, 1)


def _inverse_of_cholesky(matrix: torch.Tensor) -> torch.Tensor:
    """L^-1 of a matrix L L^T, by halves: nearly all of the work is in matrix products.

    With A, B^T, B, C the matrix's quarters, L has the quarters M, 0, B M^-T, N, where M and N are
    the factors of A and of C less B A^-1 B^T; its inverse M^-1, 0, -N^-1 B A^-1, N^-1.
    """
    size = len(matrix)
    if size <= HALVED:
        one = torch.eye(size, dtype=matrix.dtype, device=matrix.device)
        return torch.linalg.solve_triangular(torch.linalg.cholesky(matrix), one, upper=False)
    half = size // 2
    first = _inverse_of_cholesky(matrix[:half, :half])
    below = linear(matrix[half:, :half], first)
    second = _inverse_of_cholesky(matrix[half:, half:] - linear(below, below))
    inverse = torch.zeros_like(matrix)
    inverse[:half, :half] = first
    inverse[half:, half:] = second
    inverse[half:, :half] = linear(linear(second, below.t()), first.t()).neg_()
    return inverse


def sparsify(
    weight: torch.Tensor, factor: Factor, pattern: Pattern, block: int = 128, **_: object
) -> torch.Tensor:
    """Prune column by column, each time letting the columns to the right make up for the error.

    The score is w^2 / [H^-1]_jj, where H runs over the columns from j on. Unstructured: when a
    block of columns is reached, one threshold over all its weights, itself pruned; so at least one
    weight a block more than the ratio asks for. N:M: when a group is reached, the m - n lowest of
    each of its rows. Inputs that were always zero lose all their weights.

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
        errors = _on_device(columns[start:end], inverse, pattern)
        right = factor.inverse[start:end, end:]
        if factor.exact:  # the transposed product's sums may run in another order
            columns[end:] -= (errors.t().contiguous() @ right).t()
        else:
            columns[end:].addmm_(right.t(), errors, alpha=-1)
    return columns.t().to(weight.dtype, copy=True, memory_format=torch.contiguous_format)


def _on_device(columns: torch.Tensor, inverse: torch.Tensor, pattern: Pattern) -> torch.Tensor:
    """`_sparsify_block`, on a GPU as one CUDA graph: the same kernels, without their launches."""
    if not columns.is_cuda:
        return _sparsify_block(columns, inverse, pattern)
    block = _captured(columns.shape, pattern, columns.device)
    block.columns.copy_(columns)
    block.inverse.copy_(inverse)
    block.graph.replay()
    columns.copy_(block.columns)
    return block.errors


class Block(NamedTuple):
    """A captured block: what it reads and changes, what it makes, and the graph that does it."""

    columns: torch.Tensor
    inverse: torch.Tensor
    errors: torch.Tensor
    graph: "torch.cuda.CUDAGraph"


@cache
def _captured(shape: torch.Size, pattern: Pattern, device: torch.device) -> Block:
    """A block of columns of a shape, [block, out]: five launches a column, captured once."""
    columns = torch.zeros(shape, device=device)
    inverse = torch.eye(shape[0], device=device)
    _sparsify_block(columns, inverse, pattern)  # libraries load their kernels in the first
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        errors = _sparsify_block(columns, inverse, pattern)
    return Block(columns, inverse, errors, graph)


def _sparsify_block(columns: torch.Tensor, inverse: torch.Tensor, pattern: Pattern) -> torch.Tensor:
    """Prune a block of columns, [block, out], in place; return each one's error, [block, out]."""
    scale = inverse.diagonal().unsqueeze(1)
    errors = torch.empty_like(columns)
    if pattern.m:
        mask = torch.empty_like(columns, dtype=torch.bool)
    else:
        mask = up_to_threshold(columns**2 / scale**2, pattern.ratio)
    for i, (column, error) in enumerate(zip(columns, errors, strict=True)):
        if pattern.m and i % pattern.m == 0:
            group = slice(i, i + pattern.m)
            score = columns[group] ** 2 / scale[group] ** 2
            mask[group] = lowest(score.t(), pattern.pruned, pattern.m).t()
        torch.div(column, scale[i], out=error).mul_(mask[i])
        columns[i + 1 :] -= inverse[i, i + 1 :, None] * error
    columns.masked_fill_(mask, 0)
    return errors
