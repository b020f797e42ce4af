"""Claims that rest on two trainings are decided only beyond what trainings do."""

import numpy as np
import pandas
import pytest
from simulated import Results, find

from sparsesum.evidence.claim_lines import FEW_TRAININGS, ONE_TRAINING
from sparsesum.evidence.trainings import Spread
from sparsesum.experiment.grid import Row
from sparsesum.scoring.bootstrap import FAILS, HOLDS


def test_a_difference_within_what_trainings_do_is_undecided():
    results = Results({"qlora": 0.5, "full": 0.56})
    assert find(results.table(), 7, "small, full minus qlora")["verdict"] == HOLDS
    # 1.96 times the root of 2 times .03 is .083, more than .06.
    results.spreads = {"small": Spread(0.03), "large": Spread(0.001)}
    frame = results.table()
    line = find(frame, 7, "small, full minus qlora")
    assert line["verdict"] == ONE_TRAINING and line["trainings"] == 1
    assert line["estimate"] - line["low"] == pytest.approx(0.083, abs=0.002)
    assert pandas.isna(line["examples_to_decide"])  # no number of bills would
    assert find(frame, 7, "large, full minus qlora")["verdict"] == HOLDS


def test_what_trainings_do_is_unknown():
    results = Results({"qlora": 0.5, "full": 0.9})
    known = find(results.table(), 7, "small, full minus qlora")
    results.spreads = {}
    line = find(results.table(), 7, "small, full minus qlora")
    assert line["verdict"] == ONE_TRAINING
    assert list(line[["low", "high"]]) == list(known[["low", "high"]])  # of the bills alone
    # What rests on no training is decided all the same.
    results.cheats["copy"] = 0.2
    cheat = find(results.table(), 5, "small, ROUGE-Lsum, copy")
    assert cheat["verdict"] == HOLDS and pandas.isna(cheat["trainings"])


def test_several_trainings_decide_what_one_does_not():
    results = Results({"qlora": 0.5, "full": 0.56})
    results.spreads = dict.fromkeys(("small", "large"), Spread(0.03, 5, 32))
    line = find(results.table(), 7, "small, full minus qlora")
    assert line["verdict"] == HOLDS and line["trainings"] == 5
    results.spreads = dict.fromkeys(("small", "large"), Spread(0.03, 2, 2))
    line = find(results.table(), 7, "small, full minus qlora")
    assert line["verdict"] == FEW_TRAININGS


def test_any_comparison_that_another_training_may_turn_leaves_the_claim_open():
    results = Results({"magnitude": 0.3})
    assert find(results.table(), 3, "any pair")["verdict"] == FAILS
    results.spreads = {"small": Spread(0.0), "large": Spread(0.1)}
    assert find(results.table(), 3, "any pair")["verdict"] == ONE_TRAINING


def test_claim_4_takes_trainings_in_by_its_slopes():
    """The spread of the relative loss between simulated trainings is the one in the interval."""
    results = Results({"2:4": 0.3, "4:8": 0.3, "unpruned": 0.5})
    results.spreads = {"small": Spread(0.02), "large": Spread(0.01)}
    line = find(results.table(), 4, "small minus large")
    draw = np.random.default_rng(5)
    rows = {row: frame["rougeLsum"].mean() for row, frame in results.scores.items()}
    gaps = []
    for _ in range(4000):
        luck = {
            row: mean + draw.normal(0, 0.02 if row.model == "small" else 0.01)
            for row, mean in rows.items()
        }
        losses = {
            model: np.mean(
                [
                    1 - luck[row] / luck[Row(model, "qlora", "none", "none")]
                    for row in rows
                    if row.model == model and row.sparsity in ("2:4", "4:8")
                ]
            )
            for model in ("small", "large")
        }
        gaps.append(losses["small"] - losses["large"])
    assert line["high"] - line["estimate"] == pytest.approx(1.96 * np.std(gaps), rel=0.1)
