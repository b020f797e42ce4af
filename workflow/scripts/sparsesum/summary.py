"""A split's scores in a few figures: means with intervals, shares."""

from statistics import fmean

from sparsesum.bootstrap import interval
from sparsesum.scores import METRICS


def summary(examples: list[dict], resamples: int, seed: int) -> dict:
    """The scores of a split: for each metric its mean, and low and high of its 95 % interval.

    Also how many examples there are, and which share of them (0..1) is blank and cut off. Raises
    InputError if there is none.
    """
    result: dict = {"examples": len(examples)}
    for metric in METRICS:
        values = [example[metric] for example in examples]
        low, high = interval(values, resamples, seed)
        result[metric] = {"mean": fmean(values), "low": low, "high": high}
    for mark in ("blank", "cut_off"):
        result[f"{mark}_share"] = fmean(example[mark] for example in examples)
    return result
