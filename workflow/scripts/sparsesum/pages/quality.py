"""Quality against a cost, size or time, and which rows no other row beats in both."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

import pandas
from matplotlib.axes import Axes

from sparsesum.pages.figures import (
    GREY,
    ROW,
    Label,
    face,
    headline,
    label_column,
    looks,
    panels,
    row_name,
    save,
)

ROUGE = ["test_rouge", "test_rouge_low", "test_rouge_high"]

COSTS = {
    "size_mb": ("Quality against size on disk", "Size on disk [MiB]"),
    "inference_seconds": ("Quality against time", "Time to generate for both splits [s]"),
}
"""A cost's title and axis."""

ASIDE = 0.022
"""Between two marks of one cost, as a share of the panel's width."""


def nondominated(costs: Sequence[float], qualities: Sequence[float]) -> list[bool]:
    """Whether no other row costs at most as much and is at least as good, one of them strictly.

    Rows that are equal in both do not beat each other.
    """
    pairs = list(zip(costs, qualities, strict=True))
    return [
        not any(c <= cost and q >= quality and (c, q) != (cost, quality) for c, q in pairs)
        for cost, quality in pairs
    ]


def points(table: pandas.DataFrame, cost: str) -> pandas.DataFrame:
    """What is drawn: each row's ROUGE-Lsum on test with its interval, its cost, and `front`.

    `table`: results/table3.csv; `cost`: one of its columns. `front`: of all rows, whatever model.
    """
    lines = table[[*ROW, cost, *ROUGE]].copy()
    lines["front"] = nondominated(lines[cost], lines["test_rouge"])
    return lines


def draw(lines: pandas.DataFrame, cost: str, preset: str, path: Path) -> None:
    """Draw `points`: a panel a model, on the same axes, and the front of all in each.

    Marks of the same cost stand side by side.
    """
    models = list(dict.fromkeys(lines["model"]))
    figure, axes = panels(len(models), height=3.7)
    title, axis_label = COSTS[cost]
    left, right = _limits(lines[cost], lines[cost])
    axes[0].set_xlim(left, right)
    axes[0].set_ylim(_limits(lines[ROUGE[1]], lines[ROUGE[2]]))
    marks = lines.assign(look=looks(lines))
    for axis, model in zip(axes, models, strict=True):
        own = marks[marks["model"] == model]
        # The star is of three.
        places = beside(*(own[key].tolist() for key in (cost, *ROUGE[1:])), ASIDE * (right - left))  # type: ignore[call-arg]
        _front(axis, lines, cost)
        labels = []
        for place, (_, line) in zip(places, own.iterrows(), strict=True):
            colour, marker = line["look"]
            axis.plot([place, place], line[ROUGE[1:]], color=colour, linewidth=1.2)
            axis.plot(place, line[ROUGE[0]], marker, **face(colour, line["front"]))
            name, front = row_name(line), line["front"]
            labels.append(Label(place, line[ROUGE[0]], name, colour, marker, front, front))
        label_column(axis, labels)
        axis.set_title(model, loc="left")
        axis.grid(alpha=0.25)
        axis.set_xlabel(axis_label)
    axes[0].set_ylabel("ROUGE-Lsum, test")
    headline(
        figure,
        f"{title}, preset {preset}",
        "Filled, in bold and on the dashed line: the Pareto front of all rows. Bars are 95 % "
        "intervals;\nmarks that would overlap stand side by side.",
    )
    save(figure, path)


def beside(
    costs: Sequence[float], lows: Sequence[float], highs: Sequence[float], step: float
) -> list[float]:
    """Where to draw marks: `step` from each other, about their mean cost, where they would overlap.

    Marks overlap where a cost lies within a `step` of the next and their intervals have a common
    part. All others stay at their costs.
    """
    places = list(map(float, costs))
    for column in _chains(range(len(costs)), costs, [cost + step for cost in costs]):
        for group in _chains(column, lows, highs):
            middle = sum(costs[index] for index in group) / len(group)
            for number, index in enumerate(sorted(group)):
                places[index] = middle + (number - (len(group) - 1) / 2) * step
    return places


def _chains(
    indices: Iterable[int], starts: Sequence[float], ends: Sequence[float]
) -> list[list[int]]:
    """The indices in groups whose stretches, from start to end, overlap in a chain."""
    groups: list[list[int]] = []
    reached = -math.inf
    for index in sorted(indices, key=lambda index: starts[index]):
        if starts[index] > reached:
            groups.append([])
        groups[-1].append(index)
        reached = max(reached, ends[index])
    return groups


def _front(axis: Axes, lines: pandas.DataFrame, cost: str) -> None:
    """The best that is to be had for so much, as a stair."""
    front = lines[lines["front"]].sort_values(cost)
    costs = [front[cost].iloc[0], *front[cost], axis.get_xlim()[1]]
    reached = [axis.get_ylim()[0], *front[ROUGE[0]], front[ROUGE[0]].iloc[-1]]
    axis.plot(
        costs, reached, drawstyle="steps-post", color=GREY, linewidth=0.9, linestyle="--", zorder=0
    )


def _limits(low: pandas.Series, high: pandas.Series) -> tuple[float, float]:
    """An axis that holds all, and a margin."""
    margin = 0.09 * ((high.max() - low.min()) or high.max() or 1)
    return low.min() - margin, high.max() + margin
