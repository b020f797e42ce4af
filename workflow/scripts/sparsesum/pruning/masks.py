"""Which weights are pruned: those with the lowest scores, in groups, in rows, or of all."""

import torch

from sparsesum.base.errors import InputError


def grouped(matrix: torch.Tensor, m: int) -> torch.Tensor:
    """View [rows, columns] as [rows, columns / m, m]: each row's groups of m consecutive inputs.

    An InputError if m does not divide the columns.
    """
    columns = matrix.shape[-1]
    if columns % m:
        raise InputError(
            f"{columns} inputs cannot be split into groups of {m}: "
            f"choose a pattern N:M whose M divides {columns}"
        )
    return matrix.unflatten(-1, (columns // m, m))


def lowest(scores: torch.Tensor, n: int, m: int) -> torch.Tensor:
    """The n lowest of each m consecutive scores of a row: a mask of [rows, columns], True for them.

    Among equals `topk` chooses, as in the reference code; a stable sort would choose others.
    """
    groups = grouped(scores, m)
    indices = groups.topk(n, dim=-1, largest=False).indices
    return torch.zeros_like(groups, dtype=torch.bool).scatter_(-1, indices, True).flatten(-2)


def up_to_threshold(scores: torch.Tensor, ratio: float) -> torch.Tensor:
    """All scores up to one threshold, [rows, columns]: a mask, True for them.

    The threshold is the sorted score at int(count * ratio), itself included with all its equals: at
    least one more than the ratio asks for, as in the reference code.
    """
    return scores <= _smallest(scores.flatten(), int(scores.numel() * ratio))


def _smallest(scores: torch.Tensor, index: int) -> torch.Tensor:
    """The value at an index of the sorted scores, in the last dimension, which stays, as 1."""
    if scores.is_cuda:  # where a kth value is searched for by one block of threads a row
        return scores.sort(dim=-1).values[..., index : index + 1]
    # The k-th smallest counts from 1; a full sort would give the same value, later.
    return scores.kthvalue(index + 1, dim=-1, keepdim=True).values


def lowest_of_rows(scores: torch.Tensor, count: int) -> torch.Tensor:
    """The `count` lowest scores of each row: a mask of [rows, columns], True for them.

    Among equals the leftmost, as a stable sort has it, which costs four times as much: it is left
    to the rows in which a tie decides.
    """
    if not count:
        return torch.zeros_like(scores, dtype=torch.bool)
    mask = scores <= _smallest(scores, count - 1)
    tied = (mask.sum(1) > count).nonzero().squeeze(1)
    if len(tied):
        order = scores[tied].sort(dim=1, stable=True).indices
        mask[tied] = torch.zeros_like(mask[tied]).scatter_(1, order[:, :count], True)
    return mask
