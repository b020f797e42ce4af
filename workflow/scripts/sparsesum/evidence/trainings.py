"""Intervals that hold for another training of the same rows, and not for other bills alone.

A row's mean over bills has the luck of one training in it. How much that is, is the spread between
trainings: the standard deviation of a row's mean from one training to the next. Where rows have
several, it is measured; where they have one, it has to be known from elsewhere.

Both parts are independent, so the halves of their intervals add as the sides of a right angle do:
the bootstrap's over bills, and Student's t over trainings. A bootstrap over two or three seeds
would be too narrow (Davison and Hinkley 1997, "Bootstrap Methods", section 3.8;
benchmarks/coverage.py has both).
"""

import math
from collections.abc import Iterable, Mapping, Sequence
from statistics import fmean, variance
from typing import Any, NamedTuple

from sparsesum.experiment.grid import BASE, Row
from sparsesum.scoring.bootstrap import Estimate, estimate


class Spread(NamedTuple):
    """Between trainings of a model's rows, in the metric's unit.

    deviation: the standard deviation of a mean of one training. trainings: of how many a row's
    figure is the mean. freedom: the deviation's degrees of freedom; infinite where it is given.
    """

    deviation: float
    trainings: int = 1
    freedom: float = math.inf


class Found(NamedTuple):
    """A contrast of rows: its interval over bills alone, and over bills and trainings.

    both: None where nobody knows how far trainings differ. trainings: of each row that is in the
    contrast and was trained; 0 where none was.
    """

    bills: Estimate
    both: Estimate | None
    trainings: int = 0

    @property
    def known(self) -> Estimate:
        """The widest interval that is known."""
        return self.both or self.bills


def measured(means: Iterable[Sequence[float]]) -> Spread | None:
    """The spread in several rows' means, one a training: pooled over rows; None for one training.

    A row whose trainings differ more than another's counts with it: few trainings a row are too few
    to tell the rows' spreads apart.
    """
    rows = [list(row) for row in means]
    if not rows or len(rows[0]) < 2:
        return None
    count = len(rows[0])
    return Spread(math.sqrt(fmean(map(variance, rows))), count, len(rows) * (count - 1))


def spreads(means: Mapping[Row, Sequence[float]], given: Mapping[str, float]) -> dict[str, Spread]:
    """By model, where it is known: measured in its trained rows' means, or else as given.

    `means`: of each trained row, one a training. `given`: the deviation, by model.
    """
    found = {}
    for model in dict.fromkeys(row.model for row in means):
        spread = measured([of for row, of in means.items() if row.model == model])
        if spread is None and model in given:
            spread = Spread(given[model])
        if spread is not None:
            found[model] = spread
    return found


def half(error: float, freedom: float, level: float = 0.95) -> float:
    """Half of a symmetric interval: Student's quantile times a standard error."""
    from scipy.stats import t  # heavy: for the jobs that ask

    return float(t.ppf((1 + level) / 2, freedom)) * error


def widened(found: Estimate, error: float, freedom: float) -> Estimate:
    """An interval over bills, made one over trainings as well; `error`: their standard error."""
    more = half(error, freedom, found.level)
    return found._replace(
        low=found.value - math.hypot(found.value - found.low, more),
        high=found.value + math.hypot(found.high - found.value, more),
        error=math.hypot(found.error, error),
    )


def contrast(
    *samples: Any, of: Mapping[Row, float], spreads: Mapping[str, Spread], **options: Any
) -> Found:
    """A statistic of rows' scores with its intervals over bills, and over trainings as well.

    `samples` and `options` are `estimate`'s. `of`: what the statistic changes by, to first order,
    if a row's mean rises by 1: 1 and -1 for a difference of two. `spreads`: by model, where known.
    """
    bills = estimate(*samples, **options)
    trained = {row: weight for row, weight in of.items() if row.finetuning != BASE}
    if not trained:
        return Found(bills, bills)
    known = {row: spreads.get(row.model) for row in trained}
    count = max((spread.trainings for spread in known.values() if spread), default=1)
    if None in known.values():
        return Found(bills, None, count)
    error = math.hypot(
        *(trained[row] * s.deviation / math.sqrt(s.trainings) for row, s in known.items() if s)
    )
    freedom = min(s.freedom for s in known.values() if s)
    return Found(bills, widened(bills, error, freedom), count)
