"""What all pictures share: colours, markers, names, labels, and files that are the same twice."""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import matplotlib
import numpy
import pandas
from scipy.optimize import isotonic_regression

from sparsesum.base import files
from sparsesum.experiment.grid import NONE

matplotlib.use("svg")
# The same bytes twice: no date in the file, no random ids.
matplotlib.rcParams.update({"svg.hashsalt": "sparsesum", "svg.fonttype": "none"})
matplotlib.rcParams.update({"font.size": 8, "axes.titlesize": 9, "figure.titlesize": 10})
matplotlib.rcParams.update({"axes.spines.top": False, "axes.spines.right": False})

import matplotlib.pyplot as plt  # noqa: E402 - after the backend is chosen

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
"""Okabe and Ito's palette, which the colour-blind can tell apart."""
MARKERS = "os^Dv<"
"""So that in grey print, too, one differs from another."""
GREY = "0.4"

ROW = ["model", "finetuning", "pruner", "sparsity"]
"""What tells a row of the grid from others, in a table."""
NAMES = {
    "qlora": "QLoRA",
    "sparse_qlora": "sparse QLoRA",
    "wanda": "Wanda",
    "sparsegpt": "SparseGPT",
}
"""How people write them; all others are written as they are."""


def row_name(line: Mapping[str, Any]) -> str:
    """What a row is called among its model's: "base", "QLoRA", "QLoRA, Wanda 2:4"."""
    name = NAMES.get(line["finetuning"], line["finetuning"])
    if line["pruner"] == NONE:
        return name
    return f"{name}, {NAMES.get(line['pruner'], line['pruner'])} {line['sparsity']}"


def looks(lines: pandas.DataFrame) -> list[tuple[str, str]]:
    """Colour and marker of each row: one a pruner and, of unpruned rows, one a fine-tuning.

    The same in each picture of a grid: unpruned ones first, pruners as they come.
    """
    kinds = lines["pruner"].where(lines["pruner"] != NONE, lines["finetuning"])
    order = list(dict.fromkeys(["base", "full", "qlora", *kinds]))
    numbers = [order.index(kind) for kind in kinds]
    return [(COLOURS[n % len(COLOURS)], MARKERS[n % len(MARKERS)]) for n in numbers]


def spread(heights: Sequence[float], gap: float, top: float = numpy.inf) -> numpy.ndarray:
    """The heights nearest to those given (least squares) that are `gap` or more apart.

    Their order is kept, equal ones in that given, and none is above `top`.
    """
    order = numpy.argsort(heights, kind="stable")
    steps = gap * numpy.arange(len(heights))
    # Apart by the gap is: without as many gaps as are below, not descending.
    free = isotonic_regression(numpy.asarray(heights, float)[order] - steps).x
    placed = numpy.empty(len(heights))
    placed[order] = numpy.minimum(free, top - steps[-1] if len(steps) else top) + steps
    return placed


def panels(count: int, height: float) -> tuple[plt.Figure, list[plt.Axes]]:
    """A figure of `count` panels, two in a line, `height` inches each, on the same two axes.

    Right of each is place for a column of labels.
    """
    columns = min(count, 2)
    rows = -(-count // columns)
    size = (4.4 * columns, height * rows)
    figure, axes = plt.subplots(
        rows, columns, sharex=True, sharey=True, squeeze=False, figsize=size
    )
    right = 0.83 if columns > 1 else 0.6
    figure.subplots_adjust(0.07, 0.11, right, 0.84, wspace=0.85, hspace=0.5)
    for axis in axes.flat[count:]:
        axis.set_axis_off()
    for axis in axes.flat[:count]:
        axis.tick_params(labelbottom=True)
    return figure, list(axes.flat[:count])


class Label(NamedTuple):
    """What names a mark at (x, y), in data coordinates; in bold if it is to stand out."""

    x: float
    y: float
    text: str
    colour: str
    marker: str
    filled: bool = True
    bold: bool = False


def label_column(axis: Any, labels: Sequence[Label]) -> None:
    """Name marks in a column right of their panel, a thin line from each mark to its name.

    The panel's place in the figure must be final, and its limits become so.
    """
    if not labels:
        return
    axis.set(xlim=axis.get_xlim(), ylim=axis.get_ylim())
    to_share = axis.transData + axis.transAxes.inverted()
    height = axis.get_position().height * axis.figure.get_figheight()
    gap = 1.35 * plt.rcParams["font.size"] / 72 / height
    ends = [to_share.transform((label.x, label.y)) for label in labels]
    places = spread([end[1] for end in ends], gap, top=1.0)
    share: dict[str, Any] = {"transform": axis.transAxes, "clip_on": False}
    width = axis.get_position().width * axis.figure.get_figwidth()
    mark, text = 1 + 0.16 / width, 1 + 0.24 / width
    for label, end, place in zip(labels, ends, places, strict=True):
        axis.plot(
            [end[0], 1 + 0.04 / width, mark], [end[1], place, place],
            color="0.75", linewidth=0.6, zorder=0, **share,
        )  # fmt: skip
        axis.plot(mark, place, label.marker, **face(label.colour, label.filled), **share)
        axis.text(
            text, place, label.text, va="center_baseline", transform=axis.transAxes,
            fontweight="bold" if label.bold else "normal",
        )  # fmt: skip


def headline(figure: plt.Figure, title: str, subtitle: str, above: float = 0.32) -> None:
    """A title above the panels' own, and below it, smaller, how to read the figure.

    The panels' places in the figure must be final; `above` them, in inches, it stands.
    """
    left = min(axis.get_position().x0 for axis in figure.axes)
    top = max(axis.get_position().y1 for axis in figure.axes)
    inch = 1 / figure.get_figheight()
    lower = top + above * inch
    higher = lower + (0.06 + 0.135 * len(subtitle.splitlines())) * inch
    figure.text(left, lower, subtitle, color=GREY)
    figure.text(left, higher, title, fontsize=plt.rcParams["figure.titlesize"], fontweight="bold")


def face(colour: str, filled: bool) -> dict[str, Any]:
    """A marker's looks: filled, or hollow."""
    return {"color": colour, "markerfacecolor": colour if filled else "white", "markersize": 5}


def ink_on(colour: Sequence[float] | numpy.ndarray) -> str:
    """Black or white, whichever has more contrast with an sRGB colour, of 0 to 1 each.

    The contrast ratio of WCAG 2.2: (L1 + 0.05) / (L2 + 0.05), L the relative luminance.
    """
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in colour[:3]]
    luminance = numpy.dot([0.2126, 0.7152, 0.0722], linear)
    return "black" if (luminance + 0.05) ** 2 > 1.05 * 0.05 else "white"


def write(output: Any, lines: pandas.DataFrame, draw: Callable[..., None], *details: str) -> None:
    """Write what a plot shows as CSV, to `output.data`, and the plot as SVG, to `output.plot`.

    draw: called with the lines, the details and the path to draw to.
    """
    with files.whole(output.data) as draft:
        lines.to_csv(draft, index=False)
    with files.whole(output.plot) as draft:
        draw(lines, *details, draft)


def save(figure: plt.Figure, path: Path) -> None:
    """Write a figure as SVG, and forget it."""
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
