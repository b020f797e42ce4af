"""The results grid as a table: for machines with all columns, for people as the paper prints it."""

import math
from collections.abc import Mapping, Sequence
from statistics import fmean
from typing import Any

import pandas

from sparsesum.evidence import trainings
from sparsesum.experiment import patterns
from sparsesum.experiment.evaluated import METRICS, SPLITS
from sparsesum.experiment.grid import BASE, NONE, Row
from sparsesum.scoring.bootstrap import Estimate

PAPER_COLUMNS = [
    "model",
    "finetuning",
    "pruner",
    "sparsity",
    "validation_rouge",
    "validation_bertscore",
    "test_rouge",
    "test_bertscore",
    "inference_seconds",
    "nonzero_parameters",
    "size_mb",
]
"""The columns of the published table, in its order. Its Rouge is ROUGE-Lsum."""

READ = {
    "Fact F1": ("fact_f1", 3),
    "Unsupported": ("unsupported", 3),
    "rep-4": ("rep_4", 3),
    "Longest copy": ("longest_copy", 1),
    "Blank": ("blank_share", 2),
    "Cut off": ("cut_off_share", 2),
}
"""What the second table has of each split: metric and digits."""


def _scores(split: str, summary: dict[str, Any]) -> dict[str, Any]:
    """The columns of one split: means, their intervals, shares."""
    cells = {f"{split}_examples": summary["examples"]}
    figures = [name for name, figure in summary.items() if isinstance(figure, dict)]
    # First those that the paper has, in its order.
    for metric in sorted(figures, key=lambda name: name not in METRICS):
        for figure, ending in (("mean", ""), ("low", "_low"), ("high", "_high")):
            value = summary[metric][figure]
            name = f"{split}_{METRICS.get(metric, metric)}{ending}"
            cells[name] = None if value is None else round(value, 4)
    for share in SHARES:
        for name in (share, f"{share}_low", f"{share}_high"):
            cells[f"{split}_{name}"] = round(summary[name], 4)
    return cells


SHARES = ("blank_share", "cut_off_share")


def over_trainings(
    rows: Sequence[Sequence[str]], scores: Sequence[Sequence[dict[str, Any]]]
) -> list[dict[str, Any]]:
    """The scores of each row as one: means over its trainings, with intervals for others.

    `scores`: of each row, of each training, a summary of both splits (`scoring.means`). A figure's
    interval over bills is the trainings' on average, which is widened by the spread between the
    trainings of all the model's rows. A row with one training stays as it is.
    """
    joined = [{split: dict(of[0][split]) for split in SPLITS} for of in scores]
    for model in dict.fromkeys(row[0] for row in rows):
        several = [i for i, row in enumerate(rows) if row[0] == model and len(scores[i]) > 1]
        for split in SPLITS:
            for name in scores[0][0][split]:
                found = {
                    i: of
                    for i in several
                    if (of := _figures([one[split] for one in scores[i]], name))
                }
                spread = trainings.measured([[one.value for one in of] for of in found.values()])
                for i, of in found.items():
                    _set_figure(joined[i][split], name, _mean(of, spread))
                for i in {*several} - {*found}:  # in some training no example has a value
                    if isinstance(joined[i][split][name], dict):
                        joined[i][split][name] = dict.fromkeys(("mean", "low", "high"))
    return joined


def _between(
    rows: Sequence[Sequence[str]], scores: Sequence[Sequence[dict[str, Any]]]
) -> dict[str, float]:
    """By model, the standard deviation of test ROUGE-Lsum between trainings, where it has them."""
    means = {
        Row(*row): [one["test"]["rougeLsum"]["mean"] for one in of]
        for row, of in zip(rows, scores, strict=True)
        if len(of) > 1
    }
    return {model: round(s.deviation, 4) for model, s in trainings.spreads(means, {}).items()}


def _figure(summary: dict[str, Any], name: str) -> Estimate | None:
    """A metric or a share of a split's summary, with its interval; None where it has no value."""
    ends = summary.get(name)
    if name in SHARES:
        ends = {"mean": ends, "low": summary[f"{name}_low"], "high": summary[f"{name}_high"]}
    if not isinstance(ends, dict) or ends["mean"] is None:
        return None
    return Estimate(ends["mean"], ends["low"], ends["high"], 0.0, summary["examples"])


def _figures(summaries: Sequence[dict[str, Any]], name: str) -> list[Estimate]:
    """A figure of each training; none at all where one of them has no value."""
    found = [figure for one in summaries if (figure := _figure(one, name))]
    return found if len(found) == len(summaries) else []


def _set_figure(summary: dict[str, Any], name: str, found: Estimate) -> None:
    if name in SHARES:
        summary |= {name: found.value, f"{name}_low": found.low, f"{name}_high": found.high}
    else:
        summary[name] = {"mean": found.value, "low": found.low, "high": found.high}


def _mean(of: Sequence[Estimate], spread: trainings.Spread | None) -> Estimate:
    """The mean of the trainings' figures, its interval over bills and trainings."""
    value, low, high = (fmean(one[i] for one in of) for i in range(3))
    assert spread  # of several
    joined = of[0]._replace(value=value, low=low, high=high)
    error = spread.deviation / spread.trainings**0.5
    return trainings.widened(joined, error, spread.freedom)


def grid(
    rows: list[list[str]],
    scores: list[list[dict[str, Any]]],
    costs: list[dict[str, Any]],
    training: list[dict[str, Any] | None],
    preset: str,
    corpus: str,
) -> pandas.DataFrame:
    """One line a row, in the grid's order: the paper's columns, then all others.

    `rows`: model, finetuning, pruner, sparsity. `scores`: of each of a row's trainings, or the one
    of a base row. `training` is None for a row that was not trained; it is the first one's costs.
    """
    lines = []
    together = over_trainings(rows, scores)
    between = _between(rows, scores)
    for row, score, cost, trained, each in zip(
        rows, together, costs, training, scores, strict=True
    ):
        line = dict(zip(PAPER_COLUMNS[:4], row, strict=True))  # type: dict[str, Any]
        for split in SPLITS:
            line |= _scores(split, score[split])
        line["trainings"] = None if row[1] == BASE else len(each)
        line["test_rouge_between_trainings"] = between.get(row[0])
        line |= {key: value for key, value in cost.items() if not key.startswith("ms_per_token")}
        for engine in ("dense", "int8", "transformers"):
            line[f"ms_per_token_{engine}"] = cost["ms_per_token"].get(engine)
        line["training_seconds"] = trained and trained["seconds"]
        line["training_peak_memory_mb"] = trained and trained["peak_memory_mb"]
        lines.append(line | {"corpus": corpus, "preset": preset})
    frame = pandas.DataFrame(lines).astype({"trainings": "Int64"})
    further = [name for name in frame.columns if name not in PAPER_COLUMNS]
    return frame[PAPER_COLUMNS + further]


def _interval(line: pandas.Series, name: str) -> str:
    if pandas.isna(line[name]):
        return ""
    half = (line[f"{name}_high"] - line[f"{name}_low"]) / 2
    return f"{line[name]:.3f} ±{half:.3f}"


def _plain(value: float, digits: int) -> str:
    return "none" if pandas.isna(value) else f"{value:.{digits}f}"


def told(frame: pandas.DataFrame, spreads: Mapping[str, float]) -> str:
    """What the table shows, in two sentences that are read off it; none for a lone kind of row.

    `spreads`: of test ROUGE-Lsum between trainings, by model, for rows with one training.
    """
    unpruned, pruned, luck = [], [], []
    for model, of in frame.groupby("model", sort=False):
        dense = of[of["pruner"] == NONE].sort_values("test_rouge", ascending=False)
        if len(dense) > 1:
            names = [f"{line.finetuning} {line.test_rouge:.3f}" for line in dense.itertuples()]
            unpruned.append(f"{model} {' > '.join(names)}")
        best = dense.set_index("finetuning")["test_rouge"]
        gaps = [
            f"{line.test_rouge - best[line.finetuning]:+z.3f} ({Row(*line[1:5]).short})"
            for line in of[of["pruner"] != NONE].itertuples()
            if line.finetuning in best
        ]
        if gaps:
            pruned.append(f"{model} {', '.join(gaps)}")
            luck.append(_luck(of, str(model), spreads))
    text = []
    if unpruned:
        text.append(f"Test ROUGE without pruning, on this run: {'; '.join(unpruned)}.")
    if pruned:
        text.append(
            f"With pruning, against the unpruned row of the same fine-tuning: {'; '.join(pruned)}; "
            + (
                f"less than {' and '.join(f'{one:.2f}' for one in luck if one)} may be the luck of "
                "a training."
                if all(luck)
                else "how much of it is the luck of a training, one training a row does not tell."
            )
        )
    return " ".join(text)


def _luck(of: pandas.DataFrame, model: str, spreads: Mapping[str, float]) -> float | None:
    """Which difference of a model's two trained rows trainings make in 95 of 100 cases."""
    several = of["trainings"].max()
    if several > 1:
        spread = of["test_rouge_between_trainings"].max() / several**0.5
        freedom = (several - 1) * int((of["trainings"] > 1).sum())
        return trainings.half(spread * 2**0.5, freedom)
    return trainings.half(spreads[model] * 2**0.5, math.inf) if model in spreads else None


def _interval_told(frame: pandas.DataFrame) -> str:
    """What ± is over: bills, and trainings where rows have several."""
    first, most = frame.iloc[0], frame["trainings"].max()
    examples = (
        f"{first['validation_examples']} validation and {first['test_examples']} test examples of "
        f"{first['corpus']}"
    )
    if pandas.isna(most) or most < 2:
        return (
            f"± is half of a bootstrap 95 % interval over {examples}, and over them alone: another "
            "training of a row moves it as well."
        )
    return (
        f"A fine-tuned row's scores are means of {most} trainings. ± is half of a 95 % interval "
        f"over trainings and over {examples}."
    )


def markdown(frame: pandas.DataFrame, note: str, spreads: Mapping[str, float]) -> str:
    """The table as the paper prints it, with half of each 95 % interval, and the protocol."""
    printed = pandas.DataFrame(
        {
            "Model": frame["model"],
            "Fine-tuning": frame["finetuning"],
            "Pruning": frame["pruner"],
            "Sparsity": frame["sparsity"],
            "Val. ROUGE": [_interval(line, "validation_rouge") for _, line in frame.iterrows()],
            "Val. BERTScore": [
                _interval(line, "validation_bertscore") for _, line in frame.iterrows()
            ],
            "Test ROUGE": [_interval(line, "test_rouge") for _, line in frame.iterrows()],
            "Test BERTScore": [_interval(line, "test_bertscore") for _, line in frame.iterrows()],
            "Inference [s]": frame["inference_seconds"].map("{:.2f}".format),
            "Nonzero parameters": frame["nonzero_parameters"].map("{:,}".format),
            "Size [MiB]": frame["size_mb"].map("{:.2f}".format),
        }
    )
    read = frame[PAPER_COLUMNS[:4]].set_axis(list(printed.columns[:4]), axis="columns")
    for name, (metric, digits) in READ.items():
        both = [
            frame[f"{split}_{metric}"].map(lambda value, d=digits: _plain(value, d))
            for split in SPLITS
        ]
        read[name] = both[0] + " / " + both[1]
    first = frame.iloc[0]
    devices = sorted(set(frame["device"]))
    mixed = " (MIXED: times of different machines do not compare)" if devices[1:] else ""
    engine = "int8" if (frame["engine"] == "int8").any() else "dense"
    sizes = " and ".join(map(str, sorted(set(frame["batch_size"]))))
    shows = told(frame, spreads)
    return (
        f"# Results grid, preset {first['preset']}\n\n"
        f"{note.strip()}\n\n"
        f"{printed.to_markdown(index=False, disable_numparse=True)}\n\n"
        f"{shows}{shows and chr(10) * 2}"
        f"ROUGE is ROUGE-Lsum (the published column). {_interval_told(frame)}\n"
        "Inference is the time to generate for both splits, loading and scoring left out: "
        f"{' / '.join(devices)}{mixed}, {first['dtype']}, batch size "
        f"{sizes}, 8-bit weights multiplied {engine}. "
        "Size is the bytes of the files needed to deploy the row. "
        f"{patterns.MEANING}\n\n"
        f"## What the summaries say\n\n"
        f"{read.to_markdown(index=False, disable_numparse=True)}\n\n"
        "Means over the same examples, validation / test. Fact F1: the reference's numbers, years, "
        "amounts and names\nthat a summary states in its own words; copying, repeating and silence "
        "do not raise it. Unsupported: the share\nof a summary's facts that are not in the bill. "
        "rep-4: the share of its runs of four words that stood before.\nLongest copy: words in a "
        "row that are the bill's.\n"
    )
