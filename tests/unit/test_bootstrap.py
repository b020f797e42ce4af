"""The bootstrap interval: against normal theory, a plain loop, and its promise of 95 %."""

import warnings

import numpy as np
import pytest
from scipy import stats

from sparsesum.base.errors import InputError
from sparsesum.scoring import bootstrap
from sparsesum.scoring.bootstrap import HOLDS, UNDECIDED, Estimate, interval


def test_big_sample_agrees_with_normal_theory():
    values = np.random.default_rng(0).exponential(0.3, 2000)
    half = 1.959964 * values.std(ddof=1) / 2000**0.5
    low, high = interval(list(values), 4000, 1)
    assert low == pytest.approx(values.mean() - half, abs=0.08 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.08 * half)


def test_level():
    values = np.random.default_rng(4).normal(size=1000)
    low, high = interval(list(values), 4000, 1)
    assert (high - low) / 2 == pytest.approx(1.959964 * values.std() / 1000**0.5, rel=0.08)


def test_small_skewed_sample_agrees_with_a_plain_loop():
    # Normal theory would be symmetric here; percentiles are not.
    values = [0.0, 0.0, 0.0, 0.01, 0.02, 0.05, 0.9]
    draw = np.random.RandomState(5)
    means = sorted(
        sum(values[draw.randint(len(values))] for _ in values) / len(values) for _ in range(20000)
    )
    low, high = interval(values, 20000, 6)
    assert low == pytest.approx(means[500], abs=0.004)
    assert high == pytest.approx(means[19500], abs=0.02)
    mean = sum(values) / len(values)
    assert high - mean > 1.5 * (mean - low)


def test_covers_the_true_mean_as_often_as_it_says():
    # 300 trials at 95 %: standard deviation 1.3 points, and a little too narrow by nature at n=100.
    draw = np.random.default_rng(7)
    trials = [interval(list(draw.beta(2, 5, 100)), 500, seed) for seed in range(300)]
    share = np.mean([low <= 2 / 7 <= high for low, high in trials])
    assert 0.90 <= share <= 0.99


def test_seed_decides():
    values = list(np.random.default_rng(8).random(50))
    assert interval(values, 500, 1) == interval(values, 500, 1)
    assert interval(values, 500, 1) != interval(values, 500, 2)


def test_same_seed_draws_the_same_examples():
    values = list(np.random.default_rng(9).random(50))
    low, high = interval(values, 3000, 1)
    moved = interval([2 * value + 1 for value in values], 3000, 1)
    assert moved == pytest.approx((2 * low + 1, 2 * high + 1))


@pytest.mark.parametrize("values", [[0.3], [0.3] * 7, [0, 0, 0], [0.1] * 100])
def test_no_spread_gives_the_value_twice(values: list[float]):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = interval(values, 100, 1)
    assert found == (values[0], values[0])
    assert all(type(end) is float for end in found)


def test_ends_are_plain_floats():
    assert [type(end) for end in interval([0.1, 0.2], 100, 1)] == [float, float]


def test_no_examples_are_refused():
    with pytest.raises(InputError, match="no examples"):
        interval([], 100, 1)


def test_the_interval_is_scipys():
    values = np.random.default_rng(4).beta(2, 5, 80)
    found = bootstrap.estimate(values, resamples=2000, seed=7)
    one = stats.bootstrap((values,), np.mean, n_resamples=2000, method="percentile", rng=7)
    low, high = one.confidence_interval
    # Batches draw in another order: the ends agree to the resampling's own noise.
    assert (found.low, found.high) == pytest.approx((low, high), abs=0.003)
    assert found.error == pytest.approx(values.std() / 80**0.5, rel=0.06)
    assert (found.value, found.examples) == (pytest.approx(values.mean()), 80)


def test_an_unpaired_interval_is_welchs():
    draw = np.random.default_rng(5)
    one, other = draw.normal(1, 1, 150), draw.normal(0, 2, 250)
    found = bootstrap.estimate(
        one,
        other,
        resamples=4000,
        seed=1,
        paired=False,
        statistic=lambda a, b, axis: a.mean(axis) - b.mean(axis),
    )
    welch = stats.ttest_ind(one, other, equal_var=False).confidence_interval()
    assert (found.low, found.high) == pytest.approx((welch.low, welch.high), abs=0.05)
    assert found.examples == 400


def test_pairs_are_resampled_together():
    bills = np.random.default_rng(6).normal(0.5, 0.1, 100)
    found = bootstrap.estimate(
        bills, bills + 0.1, resamples=300, seed=1, statistic=lambda a, b, axis: (b - a).mean(axis)
    )
    assert (found.low, found.high) == pytest.approx((0.1, 0.1))


def test_a_simultaneous_interval_is_bonferronis():
    values = np.random.default_rng(7).normal(0, 1, 400)
    found = bootstrap.estimate(values, resamples=20000, seed=1, comparisons=5)
    half = stats.norm.ppf(1 - 0.05 / 10) / 20
    assert (found.high - found.low) / 2 == pytest.approx(half * values.std(), rel=0.04)
    assert found.level == pytest.approx(0.99)


def test_as_many_examples_decide_as_the_normal_case_says():
    # Standard deviation 1, effect 0.1: 1.96^2 / 0.01 = 384.1; here from the error of 100 examples.
    assert bootstrap.examples_to_decide(Estimate(0.1, -0.1, 0.3, 0.1, 100)) == 385
    assert bootstrap.examples_to_decide(Estimate(-0.1, -0.3, 0.1, 0.1, 100)) == 385
    assert bootstrap.examples_to_decide(Estimate(0.6, 0.5, 0.7, 0.1, 100), 0.5) == 385
    # Of five comparisons at once: z = 2.576.
    assert bootstrap.examples_to_decide(Estimate(0.1, -0.2, 0.4, 0.1, 100, 0.99)) == 664
    assert bootstrap.examples_to_decide(Estimate(0.0, -0.1, 0.1, 0.1, 100)) is None
    assert bootstrap.examples_to_decide(Estimate(1e-17, -0.1, 0.1, 0.1, 100)) is None
    assert bootstrap.examples_to_decide(Estimate(0.1, 0.1, 0.1, 0.0, 100)) == 2


def test_with_that_many_examples_half_of_the_samples_decide():
    draw = np.random.default_rng(9)
    trials = [
        bootstrap.verdict(bootstrap.estimate(draw.normal(0.1, 1, 385), resamples=300, seed=seed))
        for seed in range(200)
    ]
    assert 0.38 < trials.count(HOLDS) / 200 < 0.62


def test_a_share_has_wilsons_interval_and_its_decision_size():
    found = bootstrap.share([True] * 60 + [False] * 40)
    z, p, n = 1.959964, 0.6, 100
    centre = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * (p * (1 - p) / n + z**2 / (4 * n**2)) ** 0.5 / (1 + z**2 / n)
    assert (found.low, found.high) == pytest.approx((centre - half, centre + half), abs=1e-6)
    assert bootstrap.verdict(found, 0.5) == HOLDS
    needed = bootstrap.examples_to_decide(found, 0.5)
    assert needed == 97  # (1.96 x 0.5 / 0.1)^2 = 96.04
    assert bootstrap.verdict(bootstrap.share([True] * 30 + [False] * 20), 0.5) == UNDECIDED
    none = bootstrap.share([False] * 100)
    assert none.low == 0 and 0 < none.high < 0.05


def test_the_interval_leans_with_the_scores():
    """The percentile interval's longer arm is on the long tail's side; the basic one's is not."""
    values = np.random.default_rng(9).exponential(1, 20)
    found = bootstrap.estimate(values, resamples=4000, seed=1)
    assert found.high - found.value > 1.1 * (found.value - found.low)
