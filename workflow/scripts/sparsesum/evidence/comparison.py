"""Which rows differ: any two of them, paired by bill, and Holm's correction over all pairs."""

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas

from sparsesum.base.errors import InputError
from sparsesum.experiment.grid import COLUMNS as CELLS
from sparsesum.experiment.grid import Row
from sparsesum.scoring.example_scores import check_metrics, check_same_bills

if TYPE_CHECKING:
    from numpy import ndarray

HIGHER, LOWER, UNDECIDED = "higher", "lower", "undecided at this sample size"
LEVEL = 0.05
"""Of a family: all pairs of rows in one metric on one split."""

COLUMNS = [
    *("split", "metric", *CELLS, *(f"other_{cell}" for cell in CELLS)),
    *("difference", "low", "high", "p", "p_holm", "verdict", "examples", "preset"),
]


class Differences(NamedTuple):
    """Mean differences with their 95 % intervals and p-values, [pairs] each."""

    value: "ndarray"
    low: "ndarray"
    high: "ndarray"
    p: "ndarray"


def compare(differences: "ndarray", resamples: int, seed: int, batch: int = 100) -> Differences:
    """The mean of each line of `differences`, [pairs, examples], by the percentile bootstrap.

    All lines are resampled by the same draws, `batch` resamples at once, which bounds the memory.
    The p-value is two-sided, of a true mean of 0: twice the share of resamples on 0 or beyond it,
    each count with one more, so that it is never 0. The ends are the order statistics that this
    inverts: p is at most 0.05 where the interval leaves 0 out, and nowhere else (if resamples + 1
    is a multiple of 40; otherwise but for a resample).
    Sources: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 13 and 15.4;
    Davison and Hinkley 1997, "Bootstrap Methods and their Application", 4.2.5 (one more) and 5.3.1.
    """
    from scipy.stats import bootstrap  # Heavy.

    found = bootstrap(
        (differences,),
        np.mean,
        n_resamples=resamples,
        axis=-1,
        batch=batch,
        vectorized=True,
        method="percentile",
        rng=seed,
    )
    drawn = found.bootstrap_distribution
    low, high = np.quantile(drawn, [LEVEL / 2, 1 - LEVEL / 2], axis=-1, method="weibull")
    beyond = np.minimum((drawn <= 0).sum(-1), (drawn >= 0).sum(-1))
    p = np.minimum(1, 2 * (beyond + 1) / (resamples + 1))
    return Differences(differences.mean(-1), low, high, p)


def holm(p: "ndarray") -> "ndarray":
    """Adjusted p-values, [tests]: at most `LEVEL` where Holm's procedure rejects at that level.

    Source: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure", Scand. J. Stat. 6.
    """
    order = np.argsort(p, kind="stable")
    stepped = np.maximum.accumulate(p[order] * np.arange(len(p), 0, -1))
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(1, stepped)
    return adjusted


def family(values: "ndarray", resamples: int, seed: int) -> pandas.DataFrame:
    """Every line of `values`, [rows, examples], minus every later one.

    Columns: row, other (places in `values`), difference, low, high, p, p_holm, examples. A pair is
    compared on the examples that have both values; one with fewer than two is left without figures,
    and is none of the family.
    """
    places = np.array(list(combinations(range(len(values)), 2)))
    differences = values[places[:, 0]] - values[places[:, 1]]
    there = ~np.isnan(differences)
    frame = pandas.DataFrame(places, columns=["row", "other"]).assign(examples=there.sum(-1))
    figures = np.full((len(places), 4), np.nan)
    for kept in np.unique(there, axis=0):
        if kept.sum() > 1:
            pairs = (there == kept).all(-1)
            found = compare(differences[pairs][:, kept], resamples, seed)
            figures[pairs] = np.stack(found, axis=-1)
    frame[["difference", "low", "high", "p"]] = figures
    tested = frame["p"].notna()
    frame.loc[tested, "p_holm"] = holm(frame.loc[tested, "p"].to_numpy())
    return frame


def table(
    scores: Mapping[Row, pandas.DataFrame],
    metrics: Sequence[str],
    resamples: int,
    seed: int,
    preset: str,
) -> pandas.DataFrame:
    """Each two rows in each metric on each split, with COLUMNS: a row minus the other.

    `scores`: of each row, as `example_scores.read` gives them. Raises InputError if there are fewer
    than two rows, if they were not scored on the same bills or not by a metric, or if there are too
    few resamples for that many pairs.
    """
    rows = list(scores)
    if len(rows) < 2:
        raise InputError(f"the grid has one row, {rows[0].name}; a comparison needs two")
    by_name = {row.name: frame for row, frame in scores.items()}
    check_same_bills(by_name)
    check_metrics(metrics, by_name)
    pairs = len(rows) * (len(rows) - 1) // 2
    # The least p-value, 2 / (resamples + 1), must pass Holm's first step.
    if resamples < (least := round(2 * pairs / LEVEL) - 1):
        raise InputError(
            f"key 'comparisons.resamples': {resamples} can show no difference among {pairs} pairs "
            f"of rows; allowed here: {least} or more"
        )
    frames = []
    splits = scores[rows[0]]["split"]
    for metric in metrics:
        values = np.stack([frame[metric].to_numpy() for frame in scores.values()])
        for split in splits.unique():
            frame = family(values[:, splits == split], resamples, seed)
            frames.append(frame.assign(split=split, metric=metric))
    frame = pandas.concat(frames, ignore_index=True)
    for prefix, places in (("", frame["row"]), ("other_", frame["other"])):
        for cell in CELLS:
            frame[f"{prefix}{cell}"] = [getattr(rows[place], cell) for place in places]
    frame["verdict"] = np.where(frame["difference"] > 0, HIGHER, LOWER)
    frame.loc[~(frame["p_holm"] <= LEVEL), "verdict"] = UNDECIDED
    return frame.assign(preset=preset)[COLUMNS].round(6)
