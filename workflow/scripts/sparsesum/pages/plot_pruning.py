"""A picture of pruners x patterns: reconstruction error, perplexity, ROUGE. A column a model."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import pandas
from matplotlib.ticker import LogLocator, NullLocator

from sparsesum.experiment.grid import NONE
from sparsesum.pages.figures import COLOURS, GREY, MARKERS, plt, save

LABELS = {
    "reconstruction_error": "Reconstruction error",
    "perplexity": "Perplexity, held-out bills",
    "test_rouge": "ROUGE-Lsum, test",
}
"""What each row of panels draws, and its axis."""

UNPRUNED = {"pruned": ("dense", (0, (4, 2))), "qlora": ("QLoRA", "-")}
"""Name and style of the line of the unpruned model at a stage."""

GAP = 0.055
"""The least distance of two labels, as a share of their panel's height."""


def pruning(table: pandas.DataFrame, path: Path) -> None:
    """Draw results/table_pruning.csv: hollow as pruned, filled after QLoRA, lines for unpruned.

    Perplexity and ROUGE have their 95 % intervals.
    """
    models, pruners, patterns = (
        [name for name in dict.fromkeys(table[key]) if name != NONE]
        for key in ("model", "pruner", "sparsity")
    )
    figure, axes = plt.subplots(
        len(LABELS),
        len(models),
        sharex=True,
        sharey="row",
        squeeze=False,
        figsize=(1 + (1.3 + 0.95 * len(patterns)) * len(models), 8.2),
    )
    for panels, name in zip(axes, LABELS, strict=True):
        labels = []
        for axis, model in zip(panels, models, strict=True):
            lines = table[table["model"] == model]
            draw = _errors if name == "reconstruction_error" else _stages
            labels.append(draw(axis, name, lines, pruners, patterns))
        if name == "perplexity":
            panels[0].set_yscale("log")
            panels[0].yaxis.set_major_locator(LogLocator(subs=(1, 1.5, 2, 3, 5, 7)))
            panels[0].yaxis.set_major_formatter("{x:g}")
            panels[0].yaxis.set_minor_locator(NullLocator())
        else:
            panels[0].set_ylim(bottom=0)
        panels[0].set_ylabel(LABELS[name], fontsize=9)
        for axis, own in zip(panels, labels, strict=True):
            _finish(axis, own, len(patterns))
    for axis, model in zip(axes[0], models, strict=True):
        axis.set_title(model, fontsize=10)
    for axis in axes[-1]:
        axis.set_xticks(range(len(patterns)), patterns)
    figure.suptitle(
        f"Pruners and patterns, preset {table['preset'].iloc[0]}\n"
        "hollow as pruned, filled after QLoRA",
        fontsize=10,
    )
    figure.tight_layout()
    save(figure, path)


Label = tuple[float, str, str]
"""A height in data coordinates, a text and its colour."""


def _marks(
    lines: pandas.DataFrame, pruners: Sequence[str], patterns: Sequence[str]
) -> Iterator[tuple[float, str, str, pandas.Series]]:
    """Each pruned line with its place on the x axis, its pruner's colour and marker."""
    for _, line in lines[lines["pruner"] != NONE].iterrows():
        number = pruners.index(line["pruner"])
        aside = (number - (len(pruners) - 1) / 2) * 0.66 / len(pruners)
        colour, marker = COLOURS[number % len(COLOURS)], MARKERS[number % len(MARKERS)]
        yield patterns.index(line["sparsity"]) + aside, colour, marker, line


def _errors(
    axis: plt.Axes,
    name: str,
    lines: pandas.DataFrame,
    pruners: Sequence[str],
    patterns: Sequence[str],
) -> list[Label]:
    """The reconstruction errors of a model; the labels name the pruners, at the last pattern."""
    labels = []
    for place, colour, marker, line in _marks(lines, pruners, patterns):
        axis.plot(place, line[name], marker, color=colour)
        if line["sparsity"] == patterns[-1]:
            labels.append((line[name], line["pruner"], colour))
    return labels


def _stages(
    axis: plt.Axes,
    name: str,
    lines: pandas.DataFrame,
    pruners: Sequence[str],
    patterns: Sequence[str],
) -> list[Label]:
    """A figure of a model at both stages; the labels name the lines of the unpruned model."""
    (unpruned,) = (line for _, line in lines[lines["pruner"] == NONE].iterrows())
    labels = []
    for stage, (label, style) in UNPRUNED.items():
        key = f"{name}_{stage}"
        axis.axhline(unpruned[key], color=GREY, linewidth=0.9, linestyle=style, zorder=0)
        labels.append((unpruned[key], label, GREY))
        for place, colour, marker, line in _marks(lines, pruners, patterns):
            ends = [line[f"{key}_low"], line[f"{key}_high"]]
            face = "white" if stage == "pruned" else colour
            axis.plot([place, place], ends, color=colour, linewidth=1.4)
            axis.plot(place, line[key], marker, color=colour, markerfacecolor=face)
    return labels


def _finish(axis: plt.Axes, labels: list[Label], patterns: int) -> None:
    """Put labels to the right of a panel, apart from each other; leave no clutter."""
    right = patterns - 0.5
    axis.set_xlim(-0.5, right)
    to_share = axis.transData + axis.transAxes.inverted()
    place = -1.0
    for height, text, colour in sorted(labels):
        place = max(place + GAP, to_share.transform((0, height))[1])
        axis.text(
            1.02, place, text, color=colour, fontsize=8, va="center", transform=axis.transAxes
        )
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)
