"""The comparisons for people: each row beside its model's others."""

from collections.abc import Mapping
from typing import Any

import pandas

from sparsesum.evidence.comparison import HIGHER, LOWER, UNDECIDED
from sparsesum.experiment.grid import COLUMNS as CELLS
from sparsesum.experiment.grid import NONE, Row
from sparsesum.scoring.example_scores import METRICS

TURNED = {HIGHER: LOWER, LOWER: HIGHER, UNDECIDED: UNDECIDED}


def both_ways(lines: pandas.DataFrame) -> dict[Row, dict[Row, dict[str, Any]]]:
    """Of each row its comparison with each other one of its model: row minus other."""
    found: dict[Row, dict[Row, dict[str, Any]]] = {}
    for line in lines.to_dict("records"):
        row = Row(*(line[cell] for cell in CELLS))
        other = Row(*(line[f"other_{cell}"] for cell in CELLS))
        if row.model != other.model:
            continue
        found.setdefault(row, {})[other] = line
        found.setdefault(other, {})[row] = line | {
            "difference": -line["difference"],
            "low": -line["high"],
            "high": -line["low"],
            "verdict": TURNED[line["verdict"]],
        }
    return found


def _minus(lines: Mapping[Row, dict[str, Any]], other: Row) -> str:
    """A difference with its interval, in bold if it is more than chance after Holm's correction."""
    if other not in lines:
        return ""
    line = lines[other]
    if pandas.isna(line["difference"]):
        return "too few examples"
    value = f"{line['difference']:+.3f}"
    if line["verdict"] != UNDECIDED:
        value = f"**{value}**"
    return f"{value} [{line['low']:+.3f}, {line['high']:+.3f}]"


def _rows(lines: Mapping[Row, dict[str, Any]], verdict: str) -> str:
    found = [other.short for other, line in lines.items() if line["verdict"] == verdict]
    return "all others" if len(found) == len(lines) > 1 else ", ".join(found)


def _section(metric: str, split: str, lines: pandas.DataFrame, order: list[Row]) -> str:
    found = both_ways(lines)
    printed = pandas.DataFrame(
        {
            "Model": row.model,
            "Row": row.short,
            "minus base": _minus(found[row], Row(row.model, "base", NONE, NONE)),
            "minus unpruned": _minus(found[row], Row(row.model, row.finetuning, NONE, NONE)),
            "higher than": _rows(found[row], HIGHER),
            "lower than": _rows(found[row], LOWER),
        }
        for row in order
        if row in found
    )
    counts = sorted(set(lines["examples"]))
    examples = f"{counts[0]} to {counts[-1]}" if counts[1:] else str(counts[0])
    differ = (lines["verdict"] != UNDECIDED).sum()
    return (
        f"## {METRICS.get(metric, metric)}, {split}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        f"{differ} of all {len(lines)} pairs differ. {examples} examples.\n"
    )


def markdown(frame: pandas.DataFrame, note: str) -> str:
    """A table for each metric and split, test first, and what its figures are."""
    order = [Row(*cells) for cells in frame[CELLS].drop_duplicates().itertuples(index=False)]
    last = frame[[f"other_{cell}" for cell in CELLS]].iloc[-1]
    order.append(Row(*last))
    sections = [
        _section(metric, split, lines, order)
        for split in sorted(set(frame["split"]))
        for metric, lines in frame[frame["split"] == split].groupby("metric", sort=False)
    ]
    return (
        f"# Which rows differ, preset {frame['preset'].iloc[0]}\n\n"
        f"{note.strip()}\n\n"
        "Each row minus its model's base, and minus the unpruned row of its fine-tuning: mean "
        "difference over the same bills, with\nits bootstrap 95 % interval. Bold, and higher or "
        "lower than: more than chance at 5 % after Holm's correction for all pairs\nof rows of "
        "the table in one metric on one split. The intervals are not corrected: one may leave 0 "
        "out where its pair is\nundecided. Rows of different models are compared in "
        "comparisons.csv. All of this is about other bills, and nothing about\nother seeds of the "
        "training: for those see results/seeds.md.\n\n" + "\n".join(sections)
    )
