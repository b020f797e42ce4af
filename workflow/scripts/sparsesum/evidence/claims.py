"""The paper's nine claims as a table, for machines and for people."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from string import ascii_lowercase
from typing import Any

import pandas

from sparsesum.base.errors import InputError
from sparsesum.evidence.claim_costs import eight_bit_slower, nothing_reduced
from sparsesum.evidence.claim_tests import (
    Scores,
    blanks_and_repeats_dominate,
    cheating_pays,
    long_prompts_hurt,
    magnitude_may_win,
    named,
    nm_worse,
    qlora_not_enough,
    smaller_suffer_more,
)
from sparsesum.evidence.trainings import Spread, contrast
from sparsesum.experiment.grid import Row

COLUMNS = [
    "claim",
    "text",
    "contrast",
    "estimate",
    "low",
    "high",
    "verdict",
    "examples",
    "examples_to_decide",
    "trainings",
    "preset",
]
COUNTS = ["examples", "examples_to_decide", "trainings"]


def check_same_bills(scores: Scores, others: Mapping[str, Sequence[Any]]) -> None:
    """Raise InputError unless all have the scores of the same bills, two or more, in one order."""
    first, *rest = scores
    bills = list(scores[first]["id"])
    if len(bills) < 2:
        raise InputError(f"{named(first)}: {len(bills)} test example; a comparison needs two")
    found = {named(row): list(scores[row]["id"]) for row in rest} | dict(others)
    for name, ids in found.items():
        if list(ids) != bills:
            raise InputError(
                f"{name}: not the test bills of {named(first)}; delete its files in results/ and "
                "run again"
            )


def numbered(lines: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Lines with their claim's number; where a claim has several, with letters: 2a, 2b."""
    counts, seen = Counter(cells["claim"] for cells in lines), Counter()  # type: Counter[int], Counter[int]
    result = []
    for cells in lines:
        number = cells["claim"]
        place = seen[number]
        letter = "z" * (place // 26) + ascii_lowercase[place % 26] if counts[number] > 1 else ""
        seen[number] += 1
        result.append(cells | {"claim": f"{number}{letter}"})
    return result


def table(
    scores: Scores,
    costs: Mapping[Row, dict[str, Any]],
    generations: Mapping[str, list[dict[str, Any]]],
    cheats: Mapping[str, pandas.DataFrame],
    sources: Mapping[str, Sequence[str]],
    aware: Sequence[str],
    spreads: Mapping[str, Spread],
    preset: str,
    resamples: int,
    seed: int,
) -> pandas.DataFrame:
    """The nine claims, a line a comparison, with COLUMNS.

    `scores`, `costs`: of each row of the grid. `generations`: by model, what its unpruned base row
    wrote for the test split; `cheats`: the scores of copying and repeating; `sources`: the bills as
    the model read them. `aware`: the activation-aware pruners. `spreads`: how far trainings of a
    model's rows differ in ROUGE-Lsum, where that is known. Raises InputError if rows were not
    scored on the same bills, or on fewer than two.
    """
    others = {f"{model} base": [row["id"] for row in rows] for model, rows in generations.items()}
    for model, frame in cheats.items():
        others |= {f"{model} {kind}": rows["id"] for kind, rows in frame.groupby("cheat")}
    check_same_bills(scores, others)
    tested = partial(contrast, spreads=spreads, resamples=resamples, seed=seed)
    lines = [
        *nm_worse(scores, tested),
        *eight_bit_slower(costs),
        *magnitude_may_win(scores, aware, tested),
        *smaller_suffer_more(scores, costs, tested),
        *cheating_pays(scores, cheats, tested),
        *long_prompts_hurt(scores, generations, tested),
        *qlora_not_enough(scores, tested),
        *nothing_reduced(costs),
        *blanks_and_repeats_dominate(generations, sources),
    ]
    frame = pandas.DataFrame(numbered(lines), columns=COLUMNS).assign(preset=preset)
    # Nullable: a column of counts with a blank stays one of counts.
    return frame.astype(dict.fromkeys(COUNTS, "Int64"))


def _printed(line: dict[str, Any]) -> list[str]:
    """The cells of a line as people read them."""
    interval = [line["low"], line["high"]]
    blank = pandas.isna(line["estimate"])
    return [
        line["claim"],
        line["contrast"].split(": ", 1)[0],
        line["verdict"],
        "" if blank else f"{line['estimate']:.3f}",
        "" if blank else " to ".join(map("{:.3f}".format, interval)),
        *("" if pandas.isna(line[key]) else f"{line[key]:,}" for key in COUNTS),
    ]


def markdown(frame: pandas.DataFrame, note: str) -> str:
    """The claims as a table to read, and below it how each was decided."""
    cells: list[list[str]] = []
    numbers: dict[str, list[str]] = {}
    for text, lines in frame.groupby("text", sort=False):
        cells.append(["", f"**{text}**", *[""] * 6])
        for line in lines.to_dict("records"):
            cells.append(_printed(line))
            how = line["contrast"].split(": ", 1)[1]
            numbers.setdefault(how, []).append(line["claim"])
    contrasts = [f"- {', '.join(claims)}: {how}." for how, claims in numbers.items()]
    heads = ["", "What is compared", "Verdict", "Estimate", "95 % interval", "Examples"]
    printed = pandas.DataFrame(cells, columns=[*heads, "Would decide", "Trainings"])
    return (
        f"# The paper's claims, preset {frame['preset'].iloc[0]}\n\n"
        f"{note.strip()}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        "A verdict is about this preset's models and data. Holds: the interval lies on the "
        "claim's side of its threshold;\nfails: on the other. The interval is one over bills and, "
        "where a contrast rests on trained rows, over trainings:\nhow far these differ is measured "
        'with several `seeds`, and else taken from `training_spread`. "One training:\nundecided" '
        "is what other bills would bear out and another training may not, or where it is not "
        "known (the interval\nis then that of bills alone). Would decide: with so many examples an "
        "even chance that it does, were the estimate\nthe truth; blank where no number would. "
        "Below some 30 examples bootstrap intervals are too narrow.\n\n"
        "## How\n\n" + "\n".join(contrasts) + "\n"
    )
