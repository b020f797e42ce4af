"""The grid as a heat map: each row's place among all rows, metric by metric."""

from pathlib import Path

import numpy
import pandas
from matplotlib import colormaps

from sparsesum.pages.figures import ROW, headline, ink_on, plt, row_name, save

SCORES = {
    "rouge": ("ROUGE-\nLsum", "high"),
    "bertscore": ("BERT\nScore", "high"),
    "fact_f1": ("fact\nF1", "high"),
    "recalled": ("facts\nrecalled", "high"),
    "unsupported": ("facts un-\nsupported", "low"),
    "rep_4": ("rep-4", "low"),
    "blank_share": ("blank", "low"),
    "cut_off_share": ("cut off", "low"),
}
COSTS = {
    "nonzero_parameters": ("nonzero\n[million]", "low"),
    "size_mb": ("size\n[MiB]", "low"),
    "inference_seconds": ("inference\n[s]", "low"),
    "peak_memory_mb": ("memory\n[MiB]", "low"),
}
PANELS = {
    "Test": {f"test_{name}": heading for name, heading in SCORES.items()},
    "Validation": {f"validation_{name}": heading for name, heading in SCORES.items()},
    "Costs": COSTS,
}
"""The columns of the table that are drawn, each with its heading and its good end."""
LAYOUT = [["Test", "Costs"], ["Validation"]]
WIDE, HIGH, HEADING = 0.55, 0.19, 0.8
"""Inches: a cell, and what stands above a line of panels."""

COLOURS = colormaps["cividis"]
"""Perceptually uniform, also to the colour-blind, and light where it is good in grey print, too."""


def cells(table: pandas.DataFrame) -> pandas.DataFrame:
    """What is drawn: a line a row and metric: panel, metric, value, good (its end), place.

    place: 0 the worst of the rows, 1 the best, between them in proportion to the value; blank where
    there is no value, or where all rows have the same. `table`: results/table3.csv; columns that it
    does not have are left out.
    """
    found = []
    for panel, metrics in PANELS.items():
        for metric, (_, good) in metrics.items():
            if metric not in table:
                continue
            values = table[metric].astype(float)
            low, high = values.min(), values.max()
            place = (values - low) / (high - low) if high > low else values * numpy.nan
            place = place if good == "high" else 1 - place
            more = {"panel": panel, "metric": metric, "value": values, "good": good}
            found.append(table[ROW].assign(**more, place=place.round(4)))
    return pandas.concat(found, ignore_index=True)


def draw(lines: pandas.DataFrame, preset: str, path: Path) -> None:
    """Draw `cells`: a line a row of the grid, a panel for each split and for the costs."""
    count = len(lines[ROW].drop_duplicates())
    there = [[name for name in line if name in set(lines["panel"])] for line in LAYOUT]
    wide = max(sum(_columns(lines, name) + 0.3 for name in line) for line in there)
    figure = plt.figure(figsize=(WIDE * wide, (HIGH * count + HEADING) * len(there)))
    for number, line in enumerate(there):
        left, bottom = 0.0, 1 - ((HIGH * count + HEADING) * (number + 1)) / figure.get_figheight()
        for panel in line:
            own = lines[lines["panel"] == panel]
            width = _columns(lines, panel) / wide
            axis = figure.add_axes((left, bottom, width, HIGH * count / figure.get_figheight()))
            _panel(axis, own, named=panel == line[0])
            left += width + 0.3 / wide
    headline(
        figure,
        f"The grid, preset {preset}",
        "Colour is a row's place in its column, from the worst row (dark) to the best (light), in "
        "proportion to the value;\nan arrow says which end is good. No colour: all rows are equal, "
        "or there is no value.",
        above=HEADING,
    )
    save(figure, path)


def _columns(lines: pandas.DataFrame, panel: str) -> int:
    return lines.loc[lines["panel"] == panel, "metric"].nunique()


def _panel(axis: plt.Axes, lines: pandas.DataFrame, named: bool) -> None:
    """Draw one panel's cells; `named`: with the rows' names at its left."""
    metrics = lines.drop_duplicates("metric")
    rows = lines[ROW].drop_duplicates()
    shape = (len(metrics), len(rows))
    places = lines["place"].to_numpy().reshape(shape).T
    values = lines["value"].to_numpy().reshape(shape).T
    axis.pcolormesh(places, cmap=COLOURS, vmin=0, vmax=1, edgecolors="white", linewidth=0.8)
    for (row, column), value in numpy.ndenumerate(values):
        text = printed(value, metrics["metric"].iloc[column])
        place = places[row, column]
        ink = "black" if numpy.isnan(place) else ink_on(COLOURS(place))
        axis.text(
            column + 0.5, row + 0.5, text, ha="center", va="center_baseline", color=ink, fontsize=7
        )
    models = rows["model"].tolist()
    for row in range(1, len(models)):
        if models[row] != models[row - 1]:
            axis.axhline(row, color="white", linewidth=5)
    headings = {metric: words for own in PANELS.values() for metric, (words, _) in own.items()}
    arrows = {"high": "\N{UPWARDS ARROW}", "low": "\N{DOWNWARDS ARROW}"}
    axis.set_xticks(
        numpy.arange(len(metrics)) + 0.5,
        [f"{headings[line['metric']]}\n{arrows[line['good']]}" for _, line in metrics.iterrows()],
        fontsize=7,
    )
    axis.xaxis.tick_top()
    axis.set_yticks(
        numpy.arange(len(rows)) + 0.5,
        [f"{line['model']}: {row_name(line)}" for _, line in rows.iterrows()] if named else [],
    )
    axis.invert_yaxis()
    axis.tick_params(length=0)
    axis.spines[:].set_visible(False)
    axis.set_title(lines["panel"].iloc[0], loc="left", fontweight="bold")


def printed(value: float, metric: str) -> str:
    """A value as its cell has it: three figures, of parameters in millions."""
    if metric in COSTS:
        value = value / 1e6 if metric.endswith("parameters") else value
        return f"{value:.3g}" if abs(value) < 1000 else f"{value:,.0f}"
    return "" if numpy.isnan(value) else f"{value:.3f}"
