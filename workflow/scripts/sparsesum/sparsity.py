"""Zeros in weights: choosing them by score in N:M groups, counting them, making sure of them."""

import re
from collections.abc import Mapping

import torch

from sparsesum.errors import InputError
from sparsesum.patterns import Pattern

DECODER_LINEAR = re.compile(
    r"(?:^|\.)layers\.\d+\.(?:self_attn\.(?:[qkv]|out)_proj|fc[12])\.weight$"
)


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


def decoder_linears(state: Mapping[str, torch.Tensor]) -> list[str]:
    """The names, in a state dict, of the weights that pruning aims at, whatever their prefix.

    Six a layer: q, k, v and out_proj, fc1, fc2. Not their biases, nor any norm, embedding,
    projection or head.
    """
    return [name for name in state if DECODER_LINEAR.search(name)]


def check(state: Mapping[str, torch.Tensor], pattern: Pattern) -> None:
    """Make sure that every decoder Linear in a state dict has the pattern's zeros, or more.

    N:M: n zeros in each m consecutive inputs of a row. Unstructured: as many zeros as the rows
    would have if each lost the whole part of its share (as Wanda's do); where they lie is free.
    A ValueError that names the first weight with too few zeros, or says that there is none at all.
    """
    names = decoder_linears(state)
    if not names:
        raise ValueError("no decoder Linear among the weights: this is no OPT model's state")
    for name in names:
        zero = state[name] == 0
        rows, columns = zero.shape
        if pattern.m:
            bad = int((grouped(zero, pattern.m).sum(-1) < pattern.n).sum())
            if bad:
                raise ValueError(
                    f"{name}: {bad} of {rows * columns // pattern.m} groups of {pattern.m} have "
                    f"fewer than {pattern.n} zeros"
                )
        elif (count := int(zero.sum())) < rows * int(columns * pattern.ratio):
            raise ValueError(
                f"{name}: {count} of {zero.numel()} weights are zero, fewer than "
                f"{pattern.ratio * 100:g} %"
            )


def check_untouched(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]) -> None:
    """Make sure that nothing but decoder Linears' weights differs, by a single bit.

    The two may lie on two devices. A ValueError that names the first tensor that does, or is
    missing on one side.
    """
    if different := before.keys() ^ after.keys():
        raise ValueError(f"{min(different)}: in one of the two alone")
    pruned = set(decoder_linears(before))
    for name in before:
        one, other = before[name], after[name]
        if (one.dtype, one.shape) != (other.dtype, other.shape):
            raise ValueError(f"{name}: dtype or shape changed")
        if name not in pruned and not torch.equal(_bytes(one), _bytes(other).to(one.device)):
            raise ValueError(f"{name}: changed, and is no Linear of the decoder's layers")


def _bytes(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor's bytes, whatever its shape and strides: [bytes], uint8, on its device."""
    return tensor.contiguous().flatten().view(torch.uint8)


def check_kept(before: Mapping[str, torch.Tensor], after: Mapping[str, torch.Tensor]) -> int:
    """Make sure that decoder Linears lost no zero from `before` to `after`; count those zeros.

    `after` holds the same names and shapes, on any device, in any dtype (int8 codes of symmetric
    quantisation, in which 0 stands for 0.0, say). Returns the number of zeros in `before`'s decoder
    Linears. A ValueError that names the first weight missing, of another shape or with a zero
    filled.
    """
    total = 0
    for name in decoder_linears(before):
        if name not in after:
            raise ValueError(f"{name}: missing afterwards")
        if before[name].shape != after[name].shape:
            raise ValueError(
                f"{name}: shape {tuple(before[name].shape)} became {tuple(after[name].shape)}"
            )
        zero = before[name] == 0
        # One may be on the CPU, as it was read, and the other where it was trained.
        filled = int((zero & (after[name] != 0).to(zero.device)).sum())
        count = int(zero.sum())
        if filled:
            raise ValueError(f"{name}: {filled} of {count} zeros were filled")
        total += count
    return total
