"""Shrinking, as the grid spells it ("layers_75%+vocabulary_16384"): parsed, named, required."""

import re
from dataclasses import dataclass
from pathlib import Path

from sparsesum.base.errors import InputError

LIBRARY = Path(__file__).parents[1]
TOKENS = "vocabulary"
"""The kind whose amount is a number of tokens; those of all others are shares that are kept."""


@dataclass(frozen=True)
class Step:
    """A kind of shrinking, and how much of the model it keeps: a share, or a number of tokens."""

    kind: str
    amount: float

    @property
    def name(self) -> str:
        """As a part of a path: "layers_75", "vocabulary_16384"."""
        return f"{self.kind}_{self.amount if self.kind == TOKENS else self.amount * 100:g}"


def kinds() -> list[str]:
    """The kinds of shrinking there are: one file each in sparsesum/shrinking/kinds/."""
    return sorted(path.stem for path in (LIBRARY / "shrinking" / "kinds").glob("[!_]*.py"))


def parse(text: str) -> list[Step]:
    """The steps that "layers_75%+neurons_50%" spells, in order; an InputError for all else."""
    steps = [_step(part.strip()) for part in text.split("+")]
    for step in steps:
        if sum(step.kind == other.kind for other in steps) > 1:
            raise InputError(f"shrink '{text}': {step.kind} stands there twice; once is allowed")
    return steps


def _step(text: str) -> Step:
    kind, _, amount = text.rpartition("_")
    if kind not in kinds():
        raise InputError(
            f"shrink '{text}': unknown kind '{kind}'; allowed: {', '.join(kinds())}, each with "
            f"what it keeps: a share such as layers_75%, or of {TOKENS} a number: {TOKENS}_16384"
        )
    if kind == TOKENS:
        if re.fullmatch(r"[1-9][0-9]{0,6}", amount):
            return Step(kind, int(amount))
        raise InputError(f"shrink '{text}': allowed is the number of tokens, as {TOKENS}_16384")
    share = re.fullmatch(r"([0-9]{1,2}(?:\.[0-9]{1,4})?)\s*%", amount)
    if share and float(share[1]) > 0:
        return Step(kind, float(share[1]) / 100)
    raise InputError(
        f"shrink '{text}': allowed is the share that is kept, above 0 % and below 100 %, four "
        f"decimals at most, as {kind}_75%"
    )


def named(name: str) -> Step:
    """The step whose `name` this is: "layers_75"."""
    return _step(name if name.startswith(f"{TOKENS}_") else f"{name}%")
