"""Sparsity patterns: unstructured ("50%") and N:M ("2:4", "4:8"): parsed, named, required."""

import re
from dataclasses import dataclass

from sparsesum.base.errors import InputError

ALLOWED = (
    "a share such as 50% (above 0, below 100, four decimals at most), or N:M with 0 < N < M, of "
    "which N are kept, such as 2:4 or 4:8"
)

MEANING = "Of sparsity N:M, N of each M consecutive inputs are kept."
"""What is said below a table that has patterns."""


@dataclass(frozen=True)
class Pattern:
    """Which weights of a matrix may stay.

    Unstructured: `ratio` of the weights is pruned, `n` and `m` are 0. N:M: of each `m` consecutive
    weights along the input dimension `n` are kept, at most, and `ratio`, the share that is pruned,
    is (m - n) / m. So NVIDIA's 2:4, torch and vLLM have it; in the reference code of the pruners N
    are pruned. For the paper's patterns, which are halves, it is the same.
    """

    ratio: float
    n: int = 0
    m: int = 0

    @property
    def pruned(self) -> int:
        """How many of each `m` weights are pruned."""
        return self.m - self.n

    @property
    def name(self) -> str:
        """As a part of a path: "50", "2of4"."""
        return f"{self.n}of{self.m}" if self.m else f"{self.ratio * 100:g}"


def parse(text: str) -> Pattern:
    """The pattern that "50%" or "2:4" spells; an InputError for all else."""
    if match := re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,4})?)\s*%", text.strip()):
        percent = float(match[1])
        if 0 < percent < 100:
            return Pattern(percent / 100)
    elif match := re.fullmatch(r"([1-9][0-9]{0,3}):([1-9][0-9]{0,3})", text.strip()):
        n, m = int(match[1]), int(match[2])
        if n < m:
            return Pattern((m - n) / m, n, m)
    raise InputError(f"sparsity '{text}' is no pattern: allowed is {ALLOWED}")


def spelled(name: str) -> str:
    """How the pattern whose `name` this is stands in a grid: "50%" or "2:4"."""
    return name.replace("of", ":") if "of" in name else f"{name}%"


def named(name: str) -> Pattern:
    """The pattern whose `name` this is: "50" or "2of4"."""
    return parse(spelled(name))
