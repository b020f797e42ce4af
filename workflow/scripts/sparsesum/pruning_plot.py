"""A picture of pruners x patterns: reconstruction error, perplexity, ROUGE. A column a model."""

from collections.abc import Iterator
from pathlib import Path

import pandas
from matplotlib.ticker import LogLocator, NullFormatter

from sparsesum.figures import COLOURS, plt, save

NONE = "none"
MARKERS = "os^Dv<"
"""A pruner's marker: in grey print, too, one is told from another."""

ROWS = {
    "reconstruction_error": "Reconstruction error",
    "perplexity": "Perplexity, held-out bills",
    "test_rouge": "ROUGE-Lsum, test",
}
"""The name of the columns that a row of panels draws, and its axis."""


def pruning(table: pandas.DataFrame, path: Path) -> None:
    """Draw results/table_pruning.csv: hollow as pruned, filled after QLoRA, lines for unpruned."""
    models = list(dict.fromkeys(table["model"]))
    pruners = [name for name in dict.fromkeys(table["pruner"]) if name != NONE]
    patterns = [name for name in dict.fromkeys(table["sparsity"]) if name != NONE]
    figure, axes = plt.subplots(
        len(ROWS),
        len(models),
        sharex=True,
        sharey="row",
        squeeze=False,
        figsize=(1.2 + 1.15 * len(patterns) * len(models), 8.4),
    )
    for column, model in enumerate(models):
        lines = table[table["model"] == model]
        for axis, (name, label) in zip(axes[:, column], ROWS.items(), strict=True):
            _panel(axis, lines, name, pruners, patterns)
            if not column:
                axis.set_ylabel(label, fontsize=9)
        axes[0][column].set_title(model, fontsize=10)
        axes[-1][column].set_xticks(range(len(patterns)), patterns)
    for axis in axes[0]:
        axis.set_ylim(bottom=0)
    for axis in axes[1]:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_formatter(NullFormatter())
    for axis in axes[2]:
        axis.set_ylim(bottom=0)
    figure.suptitle(
        f"Pruners and patterns, preset {table['preset'].iloc[0]}: hollow as pruned, filled after "
        "QLoRA",
        fontsize=10,
    )
    figure.tight_layout()
    save(figure, path)


def _panel(
    axis: plt.Axes,
    lines: pandas.DataFrame,
    name: str,
    pruners: list[str],
    patterns: list[str],
) -> None:
    """One figure of one model: a group a pattern, in it a mark a pruner and stage."""
    stages = {f"{name}_{stage}": stage for stage in ("pruned", "qlora")}
    stages = {key: stage for key, stage in stages.items() if key in lines} or {name: "pruned"}
    step = 0.7 / max(len(pruners), 1)
    dense = lines[lines["pruner"] == NONE].iloc[0]
    right = len(patterns) - 0.45
    if name != "reconstruction_error":
        for key, stage in stages.items():
            told = "dense" if stage == "pruned" else "QLoRA"
            style = (0, (4, 2)) if stage == "pruned" else "-"
            axis.axhline(dense[key], color="0.5", linewidth=0.9, linestyle=style, zorder=0)
            axis.text(right, dense[key], f" {told}", color="0.35", fontsize=8, va="center")
    for place, line in _marks(lines, pruners, patterns, step):
        number = pruners.index(line["pruner"])
        colour = COLOURS[number % len(COLOURS)]
        marker = MARKERS[number % len(MARKERS)]
        for key, stage in stages.items():
            if name == "test_rouge":
                ends = [line[f"{key}_low"], line[f"{key}_high"]]
                axis.plot([place, place], ends, color=colour, linewidth=1.4)
            axis.plot(
                place,
                line[key],
                marker,
                color=colour,
                markerfacecolor="white" if stage == "pruned" and len(stages) > 1 else colour,
                markersize=6,
            )
        if name == "reconstruction_error" and line["sparsity"] == patterns[0]:
            axis.annotate(
                line["pruner"],
                (place, line[name]),
                xytext=(0, 7),
                textcoords="offset points",
                color=colour,
                fontsize=8,
                rotation=90,
                ha="center",
                va="bottom",
            )
    axis.set_xlim(-0.55, right)
    axis.tick_params(labelsize=8)
    axis.grid(axis="y", alpha=0.25)
    axis.spines[["top", "right"]].set_visible(False)


def _marks(
    lines: pandas.DataFrame, pruners: list[str], patterns: list[str], step: float
) -> Iterator[tuple[float, pandas.Series]]:
    """Each pruned line with its place on the x axis."""
    for _, line in lines[lines["pruner"] != NONE].iterrows():
        aside = (pruners.index(line["pruner"]) - (len(pruners) - 1) / 2) * step
        yield patterns.index(line["sparsity"]) + aside, line
