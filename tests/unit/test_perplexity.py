"""Perplexity from sums of log-likelihoods."""

import math

import pytest

from sparsesum.scoring.perplexity import perplexity


def test_a_uniform_choice_of_seven_is_seven():
    tokens = [3, 10, 5]
    found = perplexity([n * math.log(7) for n in tokens], tokens, resamples=200, seed=0)
    assert found["perplexity"] == pytest.approx(7)
    assert found["perplexity_low"] == pytest.approx(7)
    assert found["perplexity_high"] == pytest.approx(7)
    assert (found["tokens"], found["sequences"]) == (18, 3)


def test_every_token_counts_the_same():
    found = perplexity([30 * math.log(2), 10 * math.log(32)], [30, 10], resamples=200, seed=0)
    assert found["perplexity"] == pytest.approx(4)  # 2^(3/4) 32^(1/4)


def test_the_interval_is_that_of_sequences():
    count = 400
    nll = [10 * math.log(2), 10 * math.log(8)] * (count // 2)
    found = perplexity(nll, [10] * count, resamples=4000, seed=1)
    error = math.log(2) / math.sqrt(count)  # of the mean of log 2 and log 8, as often
    assert found["perplexity"] == pytest.approx(4)
    assert math.log(found["perplexity_low"] / 4) == pytest.approx(-1.96 * error, rel=0.08)
    assert math.log(found["perplexity_high"] / 4) == pytest.approx(1.96 * error, rel=0.08)
    assert found == perplexity(nll, [10] * count, resamples=4000, seed=1)


def test_a_single_sequence_is_its_own_interval():
    found = perplexity([math.log(9)], [1], resamples=10, seed=0)
    assert found["perplexity_low"] == found["perplexity_high"] == pytest.approx(9)
