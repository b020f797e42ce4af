"""What 95 % promises is kept on simulated scores of 100 examples, and is not by wrong methods."""

from functools import partial

import numpy as np
import pytest

from benchmarks.coverage import EXAMPLES, KINDS, compared, covered, rows
from sparsesum.evidence.comparison import compare
from sparsesum.scoring.bootstrap import estimate, interval

pytestmark = pytest.mark.long("thousands of simulated tables")
SIMULATIONS = 2000
"""A share of 95 % of them is known to half a point (standard deviation)."""


@pytest.mark.parametrize("kind", KINDS)
def test_an_interval_holds_the_true_mean_as_often_as_it_says(kind):
    # 1,000 resamples, as in the configuration.
    assert 0.93 <= covered(interval, kind, SIMULATIONS) <= 0.97


@pytest.mark.parametrize("kind", KINDS)
def test_two_rows_that_do_not_differ(kind):
    held, p = map(np.concatenate, zip(*compared(kind, SIMULATIONS, resamples=1999), strict=True))
    assert len(p) == SIMULATIONS
    assert 0.93 <= held.mean() <= 0.97
    assert 0.04 <= (p <= 0.05).mean() <= 0.06
    assert (held == (p > 0.05)).all()


def test_p_values_are_uniform_where_nothing_differs():
    p = np.concatenate([p for _, p in compared("normal", SIMULATIONS, resamples=1999)])
    assert [np.mean(p <= level) for level in (0.2, 0.5, 0.8)] == pytest.approx(
        [0.2, 0.5, 0.8], abs=0.035
    )


def test_an_interval_of_90_is_told_from_one_of_95():
    def narrow(values: list[float], resamples: int, seed: int) -> tuple[float, float]:
        found = estimate(values, resamples=resamples, seed=seed, comparisons=0.5)
        return found.low, found.high

    assert covered(narrow, "beta(2, 5)", SIMULATIONS // 2) < 0.92


def test_resampling_that_forgets_the_pairs_is_told_from_ours():
    draw = np.random.default_rng(3)
    one, other = rows(KINDS["beta(2, 5)"][0], draw, SIMULATIONS // 4)
    apart = partial(
        estimate,
        resamples=500,
        seed=0,
        paired=False,
        statistic=lambda a, b, axis: a.mean(axis) - b.mean(axis),
    )
    founds = [apart(a, b) for a, b in zip(one, other, strict=True)]
    assert np.mean([found.low <= 0 <= found.high for found in founds]) > 0.975
    paired = compare(one - other, 1999, 0)
    assert 0.92 <= np.mean((paired.low <= 0) & (paired.high >= 0)) <= 0.97
    assert one.shape == (SIMULATIONS // 4, EXAMPLES)
    assert np.corrcoef(one.ravel(), other.ravel())[0, 1] == pytest.approx(0.5, abs=0.02)
