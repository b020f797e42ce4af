"""A picture of compression: quality against parameters, bytes and time. A row of panels a model."""

from pathlib import Path

import pandas
from matplotlib.ticker import EngFormatter

from sparsesum.experiment.grid import NONE
from sparsesum.pages.figures import COLOURS, GREY, MARKERS, NAMES, face, plt, save
from sparsesum.pages.quality import nondominated
from sparsesum.pages.table_compression import RANDOM

PALETTE = [*COLOURS, "black", "0.6"]

AXES = {
    "parameters": "Parameters",
    "size_mb": "Size on disk [MiB]",
    "ms_per_token": "Latency [ms a token]",
    "seconds_per_bill": "Time in batches [s a bill]",
}


def kind(line: pandas.Series) -> str:
    """What was done to a row's weights, in words: "layers_75%", "Wanda 2:4", "as it is"."""
    shrunk = [] if line["shrink"] == NONE else [line["shrink"]]
    pruner = NAMES.get(line["pruner"], line["pruner"])
    pruned = [] if line["pruner"] == NONE else [f"{pruner} {line['sparsity']}"]
    return ", ".join([*shrunk, *pruned]) or "as it is"


def compression(table: pandas.DataFrame, path: Path) -> None:
    """Draw results/table_compression.csv: test ROUGE-Lsum with its interval against each cost.

    A colour says what was done, a marker the fine-tuning. Hollow are rows that keep what was drawn
    at random. The dashed line is the Pareto front of a model's other rows.
    """
    models = list(dict.fromkeys(table["model"]))
    lines = table.assign(kind=[kind(line) for _, line in table.iterrows()])
    plain = [name.replace(RANDOM, "") for name in lines["kind"]]
    kinds, methods = list(dict.fromkeys(plain)), list(dict.fromkeys(lines["finetuning"]))
    lines["colour"] = [PALETTE[kinds.index(name) % len(PALETTE)] for name in plain]
    lines["marker"] = [MARKERS[methods.index(name) % len(MARKERS)] for name in lines["finetuning"]]
    figure, axes = plt.subplots(
        len(models),
        len(AXES),
        sharey=True,
        squeeze=False,
        figsize=(2.6 * len(AXES), 0.9 + 2.5 * len(models)),
    )
    for panels, model in zip(axes, models, strict=True):
        own = lines[lines["model"] == model]
        for axis, (cost, label) in zip(panels, AXES.items(), strict=True):
            _panel(axis, own, cost)
            axis.set_xlabel(label)
            if cost == "parameters":
                axis.xaxis.set_major_formatter(EngFormatter())
        panels[0].set_title(model, loc="left")
        panels[0].set_ylabel("ROUGE-Lsum, test")
    figure.suptitle(
        f"Compression, preset {table['preset'].iloc[0]}: hollow keeps what was drawn at random; "
        "dashed is the Pareto front",
        x=0.01,
        ha="left",
    )
    handles = [
        *(plt.Line2D([], [], color=PALETTE[i % len(PALETTE)], marker="s", linestyle="", label=name)
          for i, name in enumerate(kinds)),
        *(plt.Line2D([], [], color=GREY, marker=MARKERS[i % len(MARKERS)], linestyle="",
                     label=NAMES.get(name, name)) for i, name in enumerate(methods)),
    ]  # fmt: skip
    figure.legend(
        handles=handles, loc="lower left", bbox_to_anchor=(0, -0.06), ncols=5, frameon=False
    )
    figure.tight_layout()
    save(figure, path)


def _panel(axis: plt.Axes, lines: pandas.DataFrame, cost: str) -> None:
    """One model's rows against one cost."""
    chosen = lines[~lines["shrink"].str.contains(RANDOM)]
    front = chosen[nondominated(chosen[cost], chosen["test_rouge"])].sort_values(cost)
    axis.plot(
        front[cost], front["test_rouge"], drawstyle="steps-post", color=GREY, linewidth=0.9,
        linestyle="--", zorder=0,
    )  # fmt: skip
    for _, line in lines.iterrows():
        ends = [line["test_rouge_low"], line["test_rouge_high"]]
        axis.plot([line[cost]] * 2, ends, color=line["colour"], linewidth=1)
        looks = face(line["colour"], RANDOM not in line["shrink"])
        axis.plot(line[cost], line["test_rouge"], line["marker"], **looks)
    axis.set_xlim(left=0)
    axis.grid(alpha=0.25)
