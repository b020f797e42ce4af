"""The loss curves of the trained rows."""

from collections.abc import Sequence
from pathlib import Path

import pandas
from matplotlib.ticker import LogLocator, NullLocator

from sparsesum.pages.figures import (
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


def joined(rows: Sequence[Sequence[str]], curves: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    """What is drawn: a line a point of each curve. `rows`: each curve's cells of ROW."""
    named = [
        pandas.DataFrame([row] * len(curve), columns=ROW).join(curve[["step", "loss"]])
        for row, curve in zip(rows, curves, strict=True)
    ]
    return pandas.concat([pandas.DataFrame(columns=[*ROW, "step", "loss"]), *named])


def draw(lines: pandas.DataFrame, preset: str, path: Path) -> None:
    """Draw `joined`: a panel a model, losses on one logarithmic axis."""
    models = list(dict.fromkeys(lines["model"]))
    figure, axes = panels(max(len(models), 1), height=3.2)
    for axis in axes:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
        axis.yaxis.set_major_formatter("{x:g}")
        axis.yaxis.set_minor_locator(NullLocator())
        axis.set_xlabel("Step")
    labels: list[list[Label]] = []
    for axis, model in zip(axes, models, strict=False):
        own = lines[lines["model"] == model]
        rows = own.drop_duplicates(ROW)
        labels.append([])
        for (colour, marker), (_, row) in zip(looks(rows), rows.iterrows(), strict=True):
            curve = own[(own[ROW] == row[ROW]).all(axis=1)]
            each = max(len(curve) // 4, 1)
            axis.plot(
                *(curve["step"], curve["loss"], marker),
                **face(colour, True) | {"markersize": 3.5},
                # Not at the same steps as the others'.
                markevery=(len(labels[-1]) % each, each),
                linestyle="-",
                linewidth=0.9,
            )
            end = curve.iloc[-1]
            labels[-1].append(Label(end["step"], end["loss"], row_name(row), colour, marker))
        axis.set_title(model, loc="left")
        axis.grid(alpha=0.25)
    axes[0].set_ylabel("Training loss [nats a token]")
    # All curves are there: no panel's limits change any more.
    for axis, own in zip(axes, labels, strict=False):
        label_column(axis, own)
    headline(
        figure, f"Training loss, preset {preset}", "Of each trained row, over the steps it took."
    )
    save(figure, path)
