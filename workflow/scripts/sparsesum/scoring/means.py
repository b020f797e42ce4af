"""A split's scores in a few figures: means with intervals, shares."""

import math
from statistics import fmean
from typing import Any

from sparsesum.base import finite
from sparsesum.scoring import grounding, similarity
from sparsesum.scoring.bootstrap import interval, share

METRICS = (*similarity.METRICS, *grounding.METRICS)


def summary(examples: list[dict[str, Any]], resamples: int, seed: int) -> dict[str, Any]:
    """The scores of a split: for each metric its mean, and low and high of its 95 % interval.

    Also how many examples there are, and which share of them (0..1) is blank and cut off, with its
    Wilson interval. A metric of grounding that has no value (NaN) for some examples is over the
    others, and says how many those are; where none has one, its figures are None. Raises InputError
    if there is no example, or one without ROUGE or BERTScore.
    """
    result: dict[str, Any] = {"examples": len(examples)}
    for metric in METRICS:
        values = [example[metric] for example in examples]
        if metric in similarity.METRICS:
            finite.check_values(values, metric, (f"example {i}" for i in range(len(values))))
        known = [value for value in values if not math.isnan(value)]
        if values and not known:
            mean = low = high = None
        else:
            low, high = interval(known, resamples, seed)
            mean = fmean(known)
        result[metric] = {"mean": mean, "low": low, "high": high}
        if len(known) < len(values):
            result[metric]["examples"] = len(known)
    for mark in ("blank", "cut_off"):
        found = share([bool(example[mark]) for example in examples])
        result[f"{mark}_share"] = found.value
        result[f"{mark}_share_low"], result[f"{mark}_share_high"] = found.low, found.high
    return result
