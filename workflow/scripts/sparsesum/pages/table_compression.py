"""Shrunk, pruned and fine-tuned rows as a table: what each costs, and as a share of the whole."""

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pandas

from sparsesum.evidence import trainings
from sparsesum.experiment import patterns
from sparsesum.experiment.evaluated import METRICS, SPLITS
from sparsesum.experiment.grid import NONE, SHRUNK, Row

COSTS = {
    "parameters": "Parameters",
    "size_mb": "Size",
    "ms_per_token": "Time a token",
    "seconds_per_bill": "Time a bill",
}
"""What a row is to have less of: a column of the table, and its name."""

RANDOM = "random_"
"""Begins the name of each kind of shrinking that draws what it keeps: the control."""


def table(
    rows: Sequence[Sequence[str]],
    scores: Sequence[Mapping[str, Any]],
    costs: Sequence[Mapping[str, Any]],
    corpus: str,
    preset: str,
) -> pandas.DataFrame:
    """One line a row, in the order of `rows` (the cells of SHRUNK).

    scores: of each row a summary of both splits (`scoring.means`); costs: its measurements.
    NAME_share: a cost over that of the row of the same model and fine-tuning that is neither
    shrunk nor pruned, `against`; test_rouge_difference: from its test ROUGE-Lsum. All three are
    missing where the table has no such row. `control`: test ROUGE-Lsum of the row that differs in
    that what it keeps is drawn at random.
    """
    lines = []
    for row, score, cost in zip(rows, scores, costs, strict=True):
        line: dict[str, Any] = dict(zip(SHRUNK, row, strict=True))
        for split in SPLITS:
            for metric, name in METRICS.items():
                for figure, ending in (("mean", ""), ("low", "_low"), ("high", "_high")):
                    line[f"{split}_{name}{ending}"] = round(score[split][metric][figure], 4)
            line[f"{split}_examples"] = score[split]["examples"]
        examples = sum(score[split]["examples"] for split in SPLITS)
        line |= {
            "parameters": cost["parameters"],
            "nonzero_parameters": cost["nonzero_parameters"],
            "size_mb": cost["size_mb"],
            "ms_per_token": cost["ms_per_token"][cost["engine"]],
            "seconds_per_bill": round(cost["inference_seconds"] / examples, 5),
            "device": cost["device"],
        }
        lines.append(line)
    frame = pandas.DataFrame(lines)
    whole = {
        (line["model"], line["finetuning"]): line
        for line in lines
        if line["shrink"] == line["pruner"] == NONE
    }
    beside = {tuple(row): line for row, line in zip(rows, lines, strict=True)}
    compared = [_compared(line, whole, beside) for line in lines]
    return pandas.concat([frame, pandas.DataFrame(compared)], axis="columns").assign(
        corpus=corpus, preset=preset
    )


def _compared(
    line: Mapping[str, Any],
    whole: Mapping[tuple[str, str], Mapping[str, Any]],
    beside: Mapping[tuple[str, ...], Mapping[str, Any]],
) -> dict[str, Any]:
    """A line's shares of the costs of its unshrunk row, and its random control's score."""
    against = whole.get((line["model"], line["finetuning"]))
    found: dict[str, Any] = {
        f"{name}_share": against and round(line[name] / against[name], 4) for name in COSTS
    }
    found["test_rouge_difference"] = against and round(
        line["test_rouge"] - against["test_rouge"], 4
    )
    control = next((beside[row] for row in _controls(line) if row in beside), None)
    found["control"] = control and control["test_rouge"]
    return found


def _controls(line: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    """The cells of a line's possible controls: one of its steps keeps what is drawn at random."""
    steps = line["shrink"].split("+")
    if line["shrink"] == NONE or any(step.startswith(RANDOM) for step in steps):
        return
    for i, step in enumerate(steps):
        drawn = "+".join([*steps[:i], RANDOM + step, *steps[i + 1 :]])
        yield tuple(drawn if key == "shrink" else line[key] for key in SHRUNK)


def _share(line: pandas.Series, name: str) -> str:
    return "" if pandas.isna(line[f"{name}_share"]) else f" ({line[f'{name}_share']:.2f})"


def told(frame: pandas.DataFrame, spread: Mapping[str, float]) -> str:
    """Which shrunk rows have less of all costs for how much ROUGE, read off the table.

    spread: the standard deviation of test ROUGE-Lsum between trainings, by model; of a model that
    it lacks nothing is said about controls.
    """
    shrunk = frame[(frame["shrink"] != NONE) & ~frame["shrink"].str.contains(RANDOM)]
    shares = shrunk[[f"{name}_share" for name in COSTS if name != "seconds_per_bill"]].astype(float)
    small = shrunk[(shares <= 0.70).all(axis="columns")]
    good = small[small["test_rouge_difference"] >= -0.03]
    names = [
        f"{Row(*line[['model', 'finetuning', 'pruner', 'sparsity', 'shrink']]).name} "
        f"({line['test_rouge_difference']:+z.3f})"
        for _, line in good.iterrows()
    ]
    text = (
        f"{len(small)} of {len(shrunk)} shrunk rows have at most 0.70 of the parameters, bytes and "
        f"milliseconds a token of their unshrunk row; of these, {len(good)} lie within 0.03 of its "
        f"test ROUGE{': ' + ', '.join(names) if names else ''}."
    )
    controls = frame[frame["control"].notna() & frame["model"].isin(spread)]
    if len(controls):
        better = [
            line.test_rouge - line.control > trainings.half(spread[line.model] * 2**0.5, math.inf)
            for line in controls.itertuples()
        ]
        text += (
            f" Of {len(controls)} rows with a random control of equal size, {sum(better)} are "
            "better than it by more than the luck of a training may make."
        )
    return text


def markdown(frame: pandas.DataFrame, note: str, spread: Mapping[str, float]) -> str:
    """The table for people: each cost with its share of the unshrunk row's, in parentheses."""
    lines = [line for _, line in frame.iterrows()]
    half = (frame["test_rouge_high"] - frame["test_rouge_low"]) / 2
    printed = pandas.DataFrame(
        {
            "Model": frame["model"],
            "Fine-tuning": frame["finetuning"],
            "Shrunk": frame["shrink"],
            "Pruning": frame["pruner"],
            "Sparsity": frame["sparsity"],
            "Test ROUGE": [
                f"{mean:.3f} ±{wide:.3f}"
                for mean, wide in zip(frame["test_rouge"], half, strict=True)
            ],
            "Control": frame["control"].map("{:.3f}".format, na_action="ignore").fillna(""),
            "Parameters": [f"{line.parameters:,}{_share(line, 'parameters')}" for line in lines],
            "Size [MiB]": [f"{line.size_mb:.2f}{_share(line, 'size_mb')}" for line in lines],
            "ms/token": [
                f"{line.ms_per_token:.2f}{_share(line, 'ms_per_token')}" for line in lines
            ],
            "ms/bill": [
                f"{1000 * line.seconds_per_bill:.1f}{_share(line, 'seconds_per_bill')}"
                for line in lines
            ],
        }
    )
    first = frame.iloc[0]
    devices = " / ".join(sorted(set(frame["device"])))
    return (
        f"# Compression, preset {first['preset']}\n\n"
        f"{note.strip()}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        f"{told(frame, spread)}\n\n"
        "In parentheses: the share of what the row of the same model and fine-tuning has that is "
        "neither shrunk nor pruned. Shrunk says what is kept: of neurons, of layers, or how many "
        "tokens. Control is the test ROUGE of the row that keeps as much, drawn at random. "
        f"{patterns.MEANING} ± is half of a bootstrap 95 % interval over "
        f"{first['test_examples']} test examples of {first['corpus']}; another training of a row "
        "moves it as well. ms/token is the latency at batch size 1, ms/bill the time to generate "
        f"for both splits, in batches, over their bills: {devices}.\n"
    )
