"""Checks of zeros: where a pattern wants them, where they were before, and nowhere else."""

from collections.abc import Mapping

import torch

from sparsesum.experiment.patterns import Pattern
from sparsesum.models import linears
from sparsesum.pruning.masks import grouped


def check(state: Mapping[str, torch.Tensor], pattern: Pattern) -> None:
    """Make sure that every decoder Linear in a state dict has the pattern's zeros, or more.

    N:M: m - n zeros in each m consecutive inputs of a row. Unstructured: as many zeros as the rows
    would have if each lost the whole part of its share (as Wanda's do); where they lie is free.
    A ValueError that names the first weight with too few zeros, or says that there is none at all.
    """
    names = linears.weights(state)
    if not names:
        raise ValueError("no decoder Linear among the weights: this is no OPT model's state")
    for name in names:
        zero = state[name] == 0
        rows, columns = zero.shape
        if pattern.m:
            bad = int((grouped(zero, pattern.m).sum(-1) < pattern.pruned).sum())
            if bad:
                raise ValueError(
                    f"{name}: {bad} of {rows * columns // pattern.m} groups of {pattern.m} have "
                    f"fewer than {pattern.pruned} zeros"
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
    pruned = set(linears.weights(before))
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
    for name in linears.weights(before):
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
