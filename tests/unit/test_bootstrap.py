"""The bootstrap interval: against normal theory, a plain loop, and its promise of 95 %."""

import warnings

import numpy as np
import pytest

from sparsesum.bootstrap import interval
from sparsesum.errors import InputError


def test_big_sample_agrees_with_normal_theory():
    values = np.random.default_rng(0).exponential(0.3, 2000)
    half = 1.959964 * values.std(ddof=1) / 2000**0.5
    low, high = interval(list(values), 4000, 1)
    assert low == pytest.approx(values.mean() - half, abs=0.08 * half)
    assert high == pytest.approx(values.mean() + half, abs=0.08 * half)


@pytest.mark.parametrize("level, z", [(0.5, 0.67449), (0.95, 1.959964), (0.99, 2.575829)])
def test_level(level: float, z: float):
    values = np.random.default_rng(4).normal(size=1000)
    low, high = interval(list(values), 4000, 1, level)
    assert (high - low) / 2 == pytest.approx(z * values.std() / 1000**0.5, rel=0.08)


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
