"""How far a mean over few examples can be trusted."""

from collections.abc import Sequence

from sparsesum.errors import InputError


def interval(
    values: Sequence[float], resamples: int, seed: int, level: float = 0.95
) -> tuple[float, float]:
    """The percentile bootstrap interval (low, high) of the mean of `values`, in their unit.

    The same seed draws the same examples, whatever their values. A single value, or values that
    are all the same, give that value twice. Raises InputError if there is no value.
    Source: Efron and Tibshirani 1993, "An Introduction to the Bootstrap", chapter 13.
    """
    if len(values) == 0:
        raise InputError("no examples: a mean over none has no interval")
    if min(values) == max(values):
        return float(values[0]), float(values[0])
    from numpy import mean  # Heavy, as is scipy: wanted by the jobs that use them only.
    from scipy.stats import bootstrap

    found = bootstrap(
        (values,),
        mean,
        n_resamples=resamples,
        batch=1000,  # Bounds the memory: whole test splits have thousands of examples.
        confidence_level=level,
        method="percentile",
        rng=seed,
    ).confidence_interval
    return float(found.low), float(found.high)
