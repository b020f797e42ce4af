"""Perplexity from the likelihood of some sequences, with its interval."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from sparsesum.base import finite
from sparsesum.scoring.bootstrap import estimate

if TYPE_CHECKING:
    from numpy import ndarray


def perplexity(
    nll: Sequence[float], tokens: Sequence[int], resamples: int, seed: int
) -> dict[str, Any]:
    """The exponential of the mean negative log-likelihood a token, over all tokens.

    nll: of each sequence, summed over its `tokens`, in nats. Returns perplexity, perplexity_low and
    perplexity_high (95 %, sequences resampled with their tokens; of one sequence, the value
    itself), tokens and sequences (how many). An InputError where the model finds the text so
    unlikely that they are no numbers.
    """
    value = low = high = sum(nll) / sum(tokens)
    if len(nll) > 1:
        found = estimate(nll, tokens, statistic=_ratio, resamples=resamples, seed=seed)
        low, high = found.low, found.high
    # The exponential is monotone: the ends of the mean's interval are those of its own.
    value, low, high = (_exp(mean) for mean in (value, low, high))
    finite.check_values([value, low, high], "the perplexity", ["all sequences"] * 3)
    return {
        "perplexity": value,
        "perplexity_low": low,
        "perplexity_high": high,
        "tokens": int(sum(tokens)),
        "sequences": len(nll),
    }


def _exp(value: float) -> float:
    try:
        return math.exp(value)
    except OverflowError:
        return math.inf


def _ratio(nll: "ndarray", tokens: "ndarray", axis: int = -1) -> "ndarray":
    return nll.sum(axis) / tokens.sum(axis)
