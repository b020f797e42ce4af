"""Pictures of the results: quality against size, and loss curves. Direct labels, no legends."""

from collections.abc import Mapping
from pathlib import Path

import pandas

from sparsesum.figures import COLOURS, plt, save


def _label(line: pandas.Series) -> str:
    if line["pruner"] == "none":
        return line["finetuning"]
    return f"{line['finetuning']}, {line['pruner']} {line['sparsity']}"


def quality_size(table: pandas.DataFrame, path: Path) -> None:
    """ROUGE-Lsum on test, with its 95 % interval, of each row, ordered as in the table.

    Beside each row its size on disk: the rows of one size differ in quality alone.
    """
    figure, (left, right) = plt.subplots(
        1, 2, sharey=True, figsize=(9, 0.42 * len(table) + 1.4), width_ratios=[3, 1]
    )
    colours = dict(zip(dict.fromkeys(table["model"]), COLOURS, strict=False))
    places = range(len(table))[::-1]
    for place, (_, line) in zip(places, table.iterrows(), strict=True):
        colour = colours[line["model"]]
        low, high = line["test_rouge_low"], line["test_rouge_high"]
        left.plot([low, high], [place, place], color=colour, linewidth=2)
        left.plot(line["test_rouge"], place, "o", color=colour)
        right.barh(place, line["size_mb"], color=colour, height=0.55)
        right.text(line["size_mb"], place, f" {line['size_mb']:.1f}", va="center", fontsize=8)
    left.set_yticks(
        list(places), [f"{row['model']}  {_label(row)}" for _, row in table.iterrows()], fontsize=8
    )
    left.set_xlabel("ROUGE-Lsum on test, 95 % interval")
    left.set_xlim(left=0)
    left.grid(axis="x", alpha=0.3)
    right.set_xlabel("Size [MiB]")
    right.margins(x=0.25)
    for axis in (left, right):
        axis.spines[["top", "right"]].set_visible(False)
    figure.suptitle(f"Quality and size, preset {table['preset'].iloc[0]}", fontsize=10)
    figure.tight_layout()
    save(figure, path)


def training_curves(curves: Mapping[str, pandas.DataFrame], preset: str, path: Path) -> None:
    """The training loss of each row over its steps; a panel a model.

    `curves`: loss curves (step, loss) by their path .../FINETUNING/CORPUS/MODEL/SPARSITY/curve.csv.
    """
    panels: dict[str, list[tuple[str, pandas.DataFrame]]] = {}
    for name, curve in curves.items():
        finetuning, _, model, sparsity = Path(name).parts[-5:-1]
        panels.setdefault(model, []).append((f"{finetuning} {sparsity}", curve))
    figure, axes = plt.subplots(
        1, max(len(panels), 1), sharey=True, squeeze=False, figsize=(5 * max(len(panels), 1), 4.2)
    )
    losses = [curve["loss"] for curve in curves.values()]
    low, high = (min(map(min, losses)), max(map(max, losses))) if losses else (1, 2)
    for axis, (model, lines) in zip(axes[0], panels.items(), strict=False):
        # Labels stand at the curves' ends, kept apart where the ends are close.
        place, gap = 0.0, (high / low) ** (1 / 18)
        ends = sorted(lines, key=lambda item: item[1]["loss"].iloc[-1])
        for number, (label, curve) in enumerate(ends):
            colour = COLOURS[number % len(COLOURS)]
            axis.plot(curve["step"], curve["loss"], color=colour, linewidth=1.3)
            place = max(place * gap, curve["loss"].iloc[-1])
            last = curve["step"].iloc[-1]
            axis.text(last, place, f"  {label}", color=colour, fontsize=8, va="center")
        axis.set_title(model, fontsize=10)
        axis.set_xlabel("Step")
        axis.spines[["top", "right"]].set_visible(False)
    axes[0][0].set_ylabel(f"Training loss, preset {preset}")
    axes[0][0].set_yscale("log")
    axes[0][0].yaxis.set_major_formatter("{x:g}")
    axes[0][0].yaxis.set_minor_formatter("{x:g}")
    figure.tight_layout()
    figure.subplots_adjust(wspace=0.5)
    save(figure, path)
