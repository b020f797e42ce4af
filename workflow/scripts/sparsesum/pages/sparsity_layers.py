"""Where the zeros are: each checkpoint's share of them, layer by layer and Linear by Linear."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy
import pandas
from matplotlib import colormaps

from sparsesum.experiment.grid import NONE
from sparsesum.models.linears import LINEARS
from sparsesum.pages.figures import NAMES, ROW, headline, ink_on, plt, save

EMBEDDINGS, ALL = "embeddings", "all"
"""In the order they are drawn."""
STAGES = {
    "full": "fine-tuned",
    "qlora": "QLoRA's int8 base",
    "sparse_qlora": "sparse QLoRA, merged in int8",
}
COLOURS = colormaps["Blues"]
"""From light, without zeros, to dark; in grey print, too."""

STRIP, LAYER, HIGH, HEADING = 5.0, 0.3, 0.2, 0.85
"""Inches: the least width of a panel and of a layer, a checkpoint's height, a panel's headings."""


def shares(rows: Sequence[Sequence[str]], counts: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    """What is drawn: zeros, weights and share of zeros of each part of each checkpoint.

    `rows`: each checkpoint's cells of ROW; `counts`: its results/sparsity/ table. A part is a
    Linear (with its layer), the embeddings (of tokens and positions), or all of the file.
    """
    found = []
    for row, tensors in zip(rows, counts, strict=True):
        linears = tensors[tensors["layer"].notna()]
        linears = linears.assign(order=linears["linear"].map(LINEARS.index))
        parts = linears.sort_values(["layer", "order"])[["layer", "linear", "zeros", "weights"]]
        embedded = tensors[tensors["tensor"].str.contains(r"\bembed_(?:tokens|positions)\b")]
        larger = [
            {"linear": name, "zeros": own["zeros"].sum(), "weights": own["weights"].sum()}
            for name, own in ((EMBEDDINGS, embedded), (ALL, tensors))
        ]
        parts = pandas.concat([parts, pandas.DataFrame(larger)], ignore_index=True)
        found.append(pandas.DataFrame([row] * len(parts), columns=ROW).join(parts))
    lines = pandas.concat(found, ignore_index=True).astype({"layer": "Int64"})
    return lines.assign(share=(lines["zeros"] / lines["weights"]).round(6))


def checkpoint_name(row: Sequence[str]) -> str:
    """What a checkpoint is called: "dense", "Wanda 2:4, as pruned", "dense, QLoRA's int8 base"."""
    _, finetuning, pruner, sparsity = row
    pruned = "dense" if pruner == NONE else f"{NAMES.get(pruner, pruner)} {sparsity}"
    if finetuning == "base":
        return pruned if pruner == NONE else f"{pruned}, as pruned"
    return f"{pruned}, {STAGES.get(finetuning, finetuning)}"


def draw(lines: pandas.DataFrame, preset: str, path: Path) -> None:
    """Draw `shares`: a panel a model, a line a checkpoint, a column a Linear of a layer."""
    models = list(dict.fromkeys(lines["model"]))
    own = {model: lines[lines["model"] == model] for model in models}
    heights = [HIGH * len(own[model][ROW].drop_duplicates()) for model in models]
    width = max(STRIP, LAYER * (lines["layer"].max() + 1))
    figure = plt.figure(figsize=(width, sum(heights) + HEADING * len(models)))
    bottom = figure.get_figheight()
    for model, height in zip(models, heights, strict=True):
        bottom -= height + HEADING
        share = figure.get_figheight()
        axis = figure.add_axes((0, bottom / share, 1, height / share))
        _panel(axis, own[model], width)
        axis.set_title(model, loc="left", fontweight="bold", pad=18)
    names = ", ".join(name.rpartition(".")[2] for name in LINEARS)
    headline(
        figure,
        f"Share of zeros by decoder layer, preset {preset}",
        f"A column a Linear, in each layer {names}: the darker, the more zeros.\nThe number is its "
        "layer's share [%]. The adapter beside an int8 base is not counted.",
        above=0.7,
    )
    save(figure, path)


def _panel(axis: plt.Axes, lines: pandas.DataFrame, width: float) -> None:
    """Draw one model's checkpoints; beside them the shares of zeros of larger parts."""
    rows = lines[ROW].drop_duplicates().to_numpy().tolist()
    linears = lines.dropna(subset=["layer"])
    layers, kinds = linears["layer"].nunique(), linears["linear"].nunique()
    grid = linears["share"].to_numpy().reshape(len(rows), layers * kinds)
    axis.pcolormesh(grid, cmap=COLOURS, vmin=0, vmax=1, edgecolors="face", linewidth=0.3)
    axis.hlines(range(1, len(rows)), 0, layers * kinds, color="white", linewidth=1)
    axis.vlines(range(kinds, layers * kinds, kinds), 0, len(rows), color="white", linewidth=2)
    sums = linears.groupby([*ROW, "layer"], sort=False)[["zeros", "weights"]].sum()
    of_layers = (sums["zeros"] / sums["weights"]).to_numpy().reshape(len(rows), layers)
    centred: dict[str, Any] = {"ha": "center", "va": "center_baseline", "fontsize": 7}
    for (row, layer), share in numpy.ndenumerate(of_layers):
        place = (layer + 0.5) * kinds, row + 0.5
        axis.text(*place, percent(share), color=ink_on(COLOURS(share)), **centred)
    _larger_parts(axis, lines, rows, width)
    axis.set_xticks((numpy.arange(layers) + 0.5) * kinds, list(map(str, range(layers))))
    axis.set_xlabel("Decoder layer")
    axis.set_yticks(numpy.arange(len(rows)) + 0.5, [checkpoint_name(row) for row in rows])
    axis.set_ylim(len(rows), 0)
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)


def _larger_parts(
    axis: plt.Axes, lines: pandas.DataFrame, rows: Sequence[Sequence[str]], width: float
) -> None:
    """Columns right of a panel: the range over its Linears; the embeddings; the whole file."""
    columns = ["Linears", "embeddings", "whole file"]
    for number, column in enumerate(columns):
        place = 1 + (0.55 + 0.9 * number) / width
        axis.text(place, 1.02, column, ha="center", va="bottom", transform=axis.transAxes)
        for row, cells in enumerate(rows):
            own = lines[(lines[ROW] == cells).all(axis=1)]
            linear = own.loc[own["layer"].notna(), "share"]
            shares = [
                sorted({percent(linear.min()): 0, percent(linear.max()): 0}, key=float),
                [percent(own.loc[own["linear"] == EMBEDDINGS, "share"].item())],
                [percent(own.loc[own["linear"] == ALL, "share"].item())],
            ][number]
            axis.text(
                place, row + 0.5, "\N{EN DASH}".join(shares) + " %", ha="center",
                va="center_baseline", transform=axis.get_yaxis_transform(),
            )  # fmt: skip


def percent(share: float) -> str:
    """A share, 0 to 1, in percent with one decimal."""
    return f"{100 * share:.1f}"
