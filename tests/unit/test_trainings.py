"""The spread between trainings, and intervals that hold for another one."""

import numpy as np
import pandas
import pytest

from sparsesum.base.errors import InputError
from sparsesum.evidence import trainings
from sparsesum.evidence.trainings import Spread
from sparsesum.experiment.grid import Row
from sparsesum.scoring import example_scores
from sparsesum.scoring.bootstrap import Estimate

QLORA, FULL = Row("m", "qlora", "none", "none"), Row("m", "full", "none", "none")
BASE = Row("m", "base", "none", "none")


def test_the_spread_is_pooled_over_rows():
    found = trainings.measured([[0.1, 0.3], [0.5, 0.5], [0.2, 0.6]])
    assert found == Spread(pytest.approx(((0.02 + 0 + 0.08) / 3) ** 0.5), 2, 3)
    assert trainings.measured([[0.1], [0.2]]) is None and trainings.measured([]) is None


def test_what_is_measured_stands_above_what_is_given():
    given = {"m": 0.5, "n": 0.25}
    other = Row("n", "full", "none", "none")
    found = trainings.spreads({QLORA: [0.1, 0.3], FULL: [0.4, 0.4], other: [0.1]}, given)
    assert found == {"m": Spread(pytest.approx(0.1), 2, 2), "n": Spread(0.25)}
    assert trainings.spreads({other: [0.1]}, {}) == {}


def test_the_halves_add_as_the_sides_of_a_right_angle():
    found = trainings.widened(Estimate(0.5, 0.47, 0.54, 0.02, 100), 0.02, 4)
    more = 2.776 * 0.02
    assert found.low == pytest.approx(0.5 - (0.03**2 + more**2) ** 0.5, abs=1e-4)
    assert found.high == pytest.approx(0.5 + (0.04**2 + more**2) ** 0.5, abs=1e-4)
    assert found.error == pytest.approx(0.02 * 2**0.5)


def test_a_contrast_without_a_trained_row_rests_on_bills_alone():
    found = trainings.contrast([0.1, 0.3, 0.2], of={BASE: 1}, spreads={}, resamples=100, seed=1)
    assert found.both == found.bills and found.trainings == 0


def test_weights_of_rows_say_how_much_of_the_spread_is_in_a_contrast():
    values = [0.1, 0.3, 0.2]
    options = {"spreads": {"m": Spread(0.1, 4)}, "resamples": 100, "seed": 1}
    one = trainings.contrast(values, of={QLORA: 1, BASE: -1}, **options)
    two = trainings.contrast(values, of={QLORA: 1, FULL: -0.5}, **options)

    def more(found):
        return ((found.both.high - found.both.value) ** 2 - (found.bills.high - 0.2) ** 2) ** 0.5

    assert more(one) == pytest.approx(1.96 * 0.1 / 2, abs=1e-4)
    assert more(two) == pytest.approx(1.25**0.5 * more(one))


def test_coverage_of_a_row_that_is_trained_three_times():
    """Of simulated rows of a model the interval holds the true mean in 95 of 100 cases."""
    draw = np.random.default_rng(4)
    held = 0
    for seed in range(1000):
        bills = draw.normal(0, 0.2, 100)  # other bills: a part that all trainings share
        luck = draw.normal(0, 0.03, (5, 3))
        scores = 0.6 + luck[:, :, None] + bills + draw.normal(0, 0.05, (5, 3, 100))
        spread = trainings.measured(scores.mean(2))
        of = {QLORA: 1}
        found = trainings.contrast(
            scores[0].mean(0), of=of, spreads={"m": spread}, resamples=300, seed=seed
        )
        held += found.both.low <= 0.6 <= found.both.high
    assert 0.94 < held / 1000 < 0.98


def test_the_mean_over_trainings_is_bill_by_bill(tmp_path):
    frames = []
    for number, values in enumerate(([0.2, 0.4], [0.4, 0.8])):
        file = tmp_path / f"{number}.csv"
        ids = {"split": ["test", "validation"], "id": ["a", "b"], "blank": [False, True]}
        pandas.DataFrame(ids | {"rougeLsum": values}).to_csv(file, index=False)
        frames.append(example_scores.read(file))
        only = example_scores.of_split(file, "validation")
        assert list(only["id"]) == ["b"] and list(only.index) == [0]
    found = example_scores.mean([frame.assign(split="test") for frame in frames])
    assert list(found["rougeLsum"]) == pytest.approx([0.3, 0.6])
    assert list(found["blank"]) == [0, 1]
    other = frames[1].assign(id=["a", "c"])
    with pytest.raises(InputError, match="training 1: not the bills of training 0"):
        example_scores.mean([frame.assign(split="test") for frame in (frames[0], other)])
