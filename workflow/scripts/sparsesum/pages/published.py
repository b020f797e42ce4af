"""Ours against the published figures, row by row."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pandas

from sparsesum.experiment.grid import Row
from sparsesum.pages.figures import COLOURS, ROW, headline, plt, row_name, save

SPLITS = {"test": "Test", "validation": "Validation"}


def beside(
    table: pandas.DataFrame, counterparts: Mapping[Row, Mapping[str, Any]]
) -> pandas.DataFrame:
    """What is drawn: a line a row and split: our ROUGE-Lsum, its interval, and the published one.

    `table`: results/table3.csv; `counterparts`: the published line of each row that has one.
    published_model: whose it is, where ours is another.
    """
    ours = {Row(*(line[key] for key in ROW)): line for _, line in table.iterrows()}
    found = []
    for row, line in counterparts.items():
        for split in SPLITS:
            rouge = {
                f"rouge{end}": ours[row][f"{split}_rouge{end}"] for end in ("", "_low", "_high")
            }
            found.append(
                {key: getattr(row, key) for key in ROW}
                | {"split": split}
                | rouge
                | {"published_model": line["model"], "published": float(line[f"{split}_rouge"])}
            )
    return pandas.DataFrame(found)


def draw(lines: pandas.DataFrame, preset: str, path: Path) -> None:
    """Draw `beside`: a panel a split, a line a row; says where our models are other ones."""
    rows = lines[ROW].drop_duplicates()
    # Between two models a line is left free.
    places = range(len(rows)) + (rows["model"] != rows["model"].shift()).cumsum().to_numpy() - 1
    figure, axes = plt.subplots(
        1, len(SPLITS), sharey=True, figsize=(7, 0.21 * (max(places) + 2)), squeeze=False
    )
    figure.subplots_adjust(left=0.0, right=1.0, wspace=0.08)
    for axis, (split, title) in zip(axes[0], SPLITS.items(), strict=True):
        own = lines[lines["split"] == split]
        for place, (_, line) in zip(places, own.iterrows(), strict=True):
            ends = [line["rouge"], line["published"]]
            axis.plot(ends, [place, place], color="0.8", linewidth=0.8, zorder=0)
            interval = [line["rouge_low"], line["rouge_high"]]
            axis.plot(interval, [place, place], color=COLOURS[0], linewidth=1.6)
            axis.plot(line["rouge"], place, "o", color=COLOURS[0], markersize=5)
            axis.plot(
                line["published"], place, "D", color="black", markerfacecolor="white", markersize=5
            )
        axis.set_title(title, loc="left")
        axis.set_xlabel("ROUGE-Lsum")
        axis.grid(axis="x", alpha=0.25)
    axes[0][0].set_yticks(
        places, [f"{line['model']}: {row_name(line)}" for _, line in rows.iterrows()]
    )
    axes[0][0].invert_yaxis()
    for axis in axes[0]:
        axis.tick_params(axis="y", length=0)
    headline(figure, f"Ours and published, preset {preset}", "\n".join(how_to_read(lines)))
    save(figure, path)


def how_to_read(lines: pandas.DataFrame) -> Sequence[str]:
    """The lines below the title: what the marks are, and whether the models are the same."""
    marks = (
        "\N{BLACK CIRCLE} ours, with its 95 % interval   \N{WHITE DIAMOND} published"
        " (without an interval)"
    )
    pairs = lines[["model", "published_model"]].drop_duplicates()
    others = pairs[pairs["model"] != pairs["published_model"]]
    if others.empty:
        return [marks]
    stand_ins = ", ".join(f"{model} for {other}" for model, other in others.to_numpy())
    return [
        marks,
        f"Not the published models, and other bills: {stand_ins}.",
        "So levels do not compare; what does is the pattern: which rows lie above which.",
    ]
