"""A line of the claims' table: what a comparison found, and what that says of its claim."""

import math
from collections.abc import Sequence
from typing import Any

from sparsesum.evidence.trainings import Found
from sparsesum.scoring.bootstrap import (
    FAILS,
    HOLDS,
    UNDECIDED,
    examples_to_decide,
    verdict,
)

NOT_TESTABLE = "not testable"
ONE_TRAINING = "one training: undecided"
FEW_TRAININGS = "undecided with so few trainings"
"""Verdicts on what other bills would bear out, but another training may not."""

BY_WEIGHT = (HOLDS, ONE_TRAINING, FEW_TRAININGS, UNDECIDED, FAILS)
"""Of several comparisons, any of which would do, the first of these is the verdict."""

TEXTS = {
    1: 'N:M "structured" sparsity does worse than unstructured at the same 50 %',
    2: "8-bit inference is several times slower",
    3: "Activation-aware pruning does not always beat magnitude",
    4: "Smaller models suffer more from N:M patterns",
    5: "Repetition and copying can raise ROUGE and BERTScore",
    6: "Small decoder-only models overfit to long prompts",
    7: "QLoRA does not suffice to recover a pruned small model; full fine-tuning beats QLoRA",
    8: "Pruning reduced neither parameters, time nor disk size",
    9: "Blank outputs and repeated input dominate the base models' generations",
}


def line(claim: int, what: str, how: str, found: Found, threshold: float = 0.0) -> dict[str, Any]:
    """A tested claim: the cells of its line. The contrast is `what`, in short, and `how`.

    Its interval is the one over bills and trainings; of bills alone where no more is known.
    """
    shown = found.known
    return untestable(claim, what, how) | {
        "estimate": round(shown.value, 4),
        "low": round(shown.low, 4),
        "high": round(shown.high, 4),
        "verdict": judged(found, threshold),
        "examples": shown.examples,
        "examples_to_decide": _would_decide(found, threshold),
        "trainings": found.trainings or None,
    }


def judged(found: Found, threshold: float = 0.0) -> str:
    """The verdict on a claim that the value is above `threshold`, for other trainings as well."""
    over_bills = verdict(found.bills, threshold)
    said = verdict(found.both, threshold) if found.both else UNDECIDED
    if said == UNDECIDED and over_bills != UNDECIDED:
        return ONE_TRAINING if found.trainings == 1 else FEW_TRAININGS
    return said


def _would_decide(found: Found, threshold: float) -> int | None:
    """How many examples would decide; None where other trainings may differ by more."""
    if found.both is None:
        return None
    ends = found.both.value - found.both.low, found.bills.value - found.bills.low
    margin = math.sqrt(max(0.0, ends[0] ** 2 - ends[1] ** 2))
    return examples_to_decide(found.bills, threshold, margin)


def counted(
    claim: int, what: str, how: str, value: float, ends: Sequence[float], said: str
) -> dict[str, Any]:
    """A claim that counts or times decide, and not examples: the cells of its line."""
    return untestable(claim, what, how) | {
        "estimate": round(value, 4),
        "low": round(min(ends), 4),
        "high": round(max(ends), 4),
        "verdict": said,
    }


def untestable(claim: int, what: str, how: str) -> dict[str, Any]:
    """A claim that the grid's rows cannot test: `how` says why, and the other cells are blank."""
    contrast = f"{what}: {how}"
    return {"claim": claim, "text": TEXTS[claim], "contrast": contrast, "verdict": NOT_TESTABLE}


def any_above(
    what: str, how: str, founds: Sequence[Found], lines: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """A claim that one of several comparisons shows: a line for it, then the comparisons' lines.

    It holds if one of them is above 0, fails if all are below. Its figures are those of the
    comparison that is most clearly above: where none is, the last that would have to be decided.
    """
    if len(lines) == 1:
        return lines

    def clearly_above(i: int) -> tuple[bool, float]:
        known = founds[i].known
        return known.low > 0, known.value / max(known.error, 1e-12)

    best = max(range(len(lines)), key=clearly_above)
    verdicts = {cells["verdict"] for cells in lines}
    said = next(one for one in BY_WEIGHT if one in verdicts)
    contrast = f"{what}: {how}, which is {lines[best]['contrast']}"
    return [lines[best] | {"contrast": contrast, "verdict": said}, *lines]
