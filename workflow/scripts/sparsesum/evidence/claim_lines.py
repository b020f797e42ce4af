"""A line of the claims' table: what a comparison found, and what that says of its claim."""

from collections.abc import Sequence
from typing import Any

from sparsesum.scoring.bootstrap import (
    FAILS,
    HOLDS,
    UNDECIDED,
    Estimate,
    examples_to_decide,
    verdict,
)

NOT_TESTABLE = "not testable"

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


def line(
    claim: int, what: str, how: str, found: Estimate, threshold: float = 0.0
) -> dict[str, Any]:
    """A tested claim: the cells of its line. The contrast is `what`, in short, and `how`."""
    return untestable(claim, what, how) | {
        "estimate": round(found.value, 4),
        "low": round(found.low, 4),
        "high": round(found.high, 4),
        "verdict": verdict(found, threshold),
        "examples": found.examples,
        "examples_to_decide": examples_to_decide(found, threshold),
    }


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
    what: str, how: str, founds: Sequence[Estimate], lines: list[dict[str, Any]]
) -> list[dict[str, Any]]:
    """A claim that one of several comparisons shows: a line for it, then the comparisons' lines.

    It holds if one of them is above 0, fails if all are below. Its figures are those of the
    comparison that is most clearly above: where none is, the last that would have to be decided.
    """
    if len(lines) == 1:
        return lines

    def clearly_above(i: int) -> tuple[bool, float]:
        return founds[i].low > 0, founds[i].value / max(founds[i].error, 1e-12)

    best = max(range(len(lines)), key=clearly_above)
    verdicts = {cells["verdict"] for cells in lines}
    said = HOLDS if HOLDS in verdicts else FAILS if verdicts == {FAILS} else UNDECIDED
    contrast = f"{what}: {how}, which is {lines[best]['contrast']}"
    return [lines[best] | {"contrast": contrast, "verdict": said}, *lines]
