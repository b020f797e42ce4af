"""How far a figure over few examples can be trusted, and what it decides."""

import math
import warnings
from collections.abc import Callable, Sequence
from statistics import NormalDist
from typing import TYPE_CHECKING, Any, NamedTuple

from sparsesum.base.errors import InputError

if TYPE_CHECKING:
    from numpy import ndarray

HOLDS, FAILS, UNDECIDED = "holds", "fails", "undecided at this sample size"


class Estimate(NamedTuple):
    """A statistic of examples, in their unit, with its interval and standard error."""

    value: float
    low: float
    high: float
    error: float
    examples: int
    level: float = 0.95


def interval(values: Sequence[float], resamples: int, seed: int) -> tuple[float, float]:
    """The percentile bootstrap interval (low, high) of the mean of `values`, in their unit.

    The same seed draws the same examples, whatever their values. A single value, or values that
    are all the same, give that value twice. Raises InputError if there is no value.
    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    if len(values) == 0:
        raise InputError("no examples: a mean over none has no interval")
    if min(values) == max(values):
        return float(values[0]), float(values[0])
    found = estimate(values, resamples=resamples, seed=seed, batch=1000)
    return found.low, found.high


def mean(sample: "ndarray", axis: int = -1) -> "ndarray":
    """The statistic: the mean along an axis."""
    return sample.mean(axis)


def estimate(
    *samples: "Sequence[float] | ndarray",
    resamples: int,
    seed: int,
    statistic: Callable[..., Any] = mean,
    paired: bool = True,
    comparisons: int = 1,
    batch: int = 100,
) -> Estimate:
    """A statistic with its percentile bootstrap interval over examples.

    `samples`: [examples] each; paired ones are resampled together, and as long as each other.
    `statistic(*samples, axis)` reduces that axis. With several `comparisons` the interval is one of
    that many that all cover at once with 95 % (Bonferroni). The standard error is the bootstrap's.
    `batch` resamples are held at once, which bounds the memory and orders the draws.
    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapters 6 and 13.
    """
    import numpy as np  # Heavy, as is scipy: wanted by the jobs that use them only.
    from scipy.stats import bootstrap as scipy_bootstrap

    samples = tuple(map(np.asarray, samples))
    level = 1 - 0.05 / comparisons
    # A ratio may be without value on a resample; its line says so then.
    with np.errstate(divide="ignore", invalid="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = scipy_bootstrap(
            samples,
            statistic,
            n_resamples=resamples,
            batch=batch,
            paired=paired,
            vectorized=True,
            confidence_level=level,
            method="percentile",
            rng=seed,
        )
        value = float(statistic(*samples, axis=-1))
    low, high = map(float, found.confidence_interval)
    count = len(samples[0]) if paired else sum(map(len, samples))
    return Estimate(value, low, high, float(found.standard_error), count, level)


def share(marks: Sequence[bool]) -> Estimate:
    """The share of marked examples with its Wilson interval.

    Unlike the bootstrap's it has a width where all or none are marked. The error is that of a true
    share of one half, which is what the interval tells from it.
    Source: Wilson 1927, "Probable Inference", JASA 22.
    """
    from scipy.stats import binomtest

    count = len(marks)
    found = binomtest(int(sum(marks)), count).proportion_ci(method="wilson")
    return Estimate(
        sum(marks) / count, float(found.low), float(found.high), 0.5 / count**0.5, count
    )


def verdict(found: Estimate, threshold: float = 0.0) -> str:
    """Whether a claim that the value is above `threshold` holds, fails or stays open."""
    if found.low > threshold:
        return HOLDS
    return FAILS if found.high < threshold else UNDECIDED


def examples_to_decide(found: Estimate, threshold: float = 0.0, margin: float = 0.0) -> int | None:
    """How many examples would put the interval clear of `threshold`, were the value the true one.

    n (z SE)^2 / (distance^2 - margin^2), rounded up; z is the normal quantile of the interval's
    level, `margin` the half of it that no example makes less. None where no number of them would
    do. With so many, every second sample decides.
    """
    distance = found.value - threshold
    if abs(distance) - margin < 1e-9:  # Scores have six digits: this is none, but for float sums.
        return None
    z = NormalDist().inv_cdf((1 + found.level) / 2)
    needed = found.examples * (z * found.error) ** 2 / (distance**2 - margin**2)
    return max(2, math.ceil(needed))
