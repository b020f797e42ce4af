"""Which scores a cheating prediction raises over the base row's own."""

from collections.abc import Mapping
from typing import Any

import pandas

from sparsesum.scoring.bootstrap import Estimate, estimate
from sparsesum.scoring.example_scores import METRICS

OWN = "own"
LABELS = {
    OWN: "the base's own",
    "copy": "the bill's opening",
    "append": "its own, then the bill's opening",
    "repeat": "its first sentence over and over",
    "blank": "nothing",
}
COLUMNS = """
    model split prediction metric mean low high difference difference_low difference_high
    examples raised preset
""".split()


def table(
    own: Mapping[str, pandas.DataFrame],
    cheats: Mapping[str, pandas.DataFrame],
    preset: str,
    resamples: int,
    seed: int,
) -> pandas.DataFrame:
    """One line for each model, split, kind of prediction and metric, with COLUMNS.

    By model: `own` has split, id and METRICS of its unpruned base row; `cheats` the same, and
    `cheat`. The difference is cheat minus own, paired by bill; `raised` counts the examples in
    which it is above 0, of those that have a value.
    """
    lines = []
    for model, frame in own.items():
        for split, rows in frame.groupby("split", sort=False):
            base = rows.set_index("id")
            for kind in LABELS:
                lines += [
                    {"model": model, "split": split, "prediction": kind, "metric": metric, **cells}
                    for metric in METRICS
                    if (cells := _cells(cheats[model], split, kind, metric, base, resamples, seed))
                ]
    return pandas.DataFrame(lines, columns=COLUMNS).assign(preset=preset)


def _cells(
    cheats: Any, split: Any, kind: Any, metric: Any, base: Any, resamples: Any, seed: Any
) -> dict[str, Any]:
    """The figures of a line; none where fewer than two examples have a value."""
    values = base[metric]
    if kind != OWN:
        rows = cheats[(cheats["split"] == split) & (cheats["cheat"] == kind)]
        values = rows.set_index("id")[metric].reindex(base.index)
    gaps = (values - base[metric]).dropna()
    if len(gaps) < 2:
        return {}

    def rounded(found: Estimate) -> list[float]:
        return [round(figure, 4) for figure in (found.value, found.low, found.high)]

    def figures(these: pandas.Series) -> list[float]:
        return rounded(estimate(these.to_numpy(float), resamples=resamples, seed=seed))

    return {
        **dict(zip(("mean", "low", "high"), figures(values.dropna()), strict=True)),
        **dict(
            zip(("difference", "difference_low", "difference_high"), figures(gaps), strict=True)
        ),
        "examples": len(gaps),
        # Scores have six digits: less is a float sum's rounding.
        "raised": int((gaps > 1e-6).sum()),
    }


def _printed(line: Mapping[str, Any]) -> str:
    half = (line["high"] - line["low"]) / 2
    text = f"{line['mean']:.3f} ±{half:.3f}"
    if line["prediction"] == OWN:
        return text
    above = line["difference_low"] > 0
    return f"**{text}**, {line['raised']}" if above else f"{text}, {line['raised']}"


def markdown(frame: pandas.DataFrame, note: str) -> str:
    """The table for people: a line a cheat, a column a metric."""
    lines = []
    for (model, split), rows in frame.groupby(["model", "split"], sort=False):
        for kind, label in LABELS.items():
            cells = {"Model": model, "Split": split, "Prediction": label}
            for _, line in rows[rows["prediction"] == kind].iterrows():
                cells[METRICS[line["metric"]]] = _printed(line)
            lines.append(cells)
    printed = pandas.DataFrame(lines).fillna("")
    return (
        f"# What cheating scores, preset {frame['preset'].iloc[0]}\n\n"
        f"{note.strip()}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        "Each cell: the mean with half of its 95 % interval, and in how many examples the cheat "
        "scores more than the\nbase model's own prediction. Bold: more on average, by more than "
        "the paired 95 % interval. The opening and the\nrepetition are as many words as the "
        "references have on average.\n"
    )
