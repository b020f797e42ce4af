"""The spread between seeds and the spread between examples, on values made to have them."""

import math

import numpy as np
import pandas
import pytest

from sparsesum.base.errors import InputError
from sparsesum.evidence import seeds
from sparsesum.experiment.grid import Row

QLORA = Row("small", "qlora", "none", "none")
WANDA = Row("small", "qlora", "wanda", "2:4")
FULL = Row("small", "full", "wanda", "50%")


def scores(values: list[float], blank: float = 0.0) -> pandas.DataFrame:
    """Scores of a row: on test `values`, on validation twice as much."""
    return pandas.DataFrame(
        {
            "split": ["validation"] * len(values) + ["test"] * len(values),
            "id": [f"{split}-{i}" for split in ("ca", "us") for i in range(len(values))],
            "blank": blank,
            "rougeLsum": [2 * value for value in values] + values,
        }
    )


SEEDS = {
    42: {QLORA: scores([1.0, 2.0, 3.0]), WANDA: scores([0.0, 1.0, 5.0]), FULL: scores([0.0] * 3)},
    43: {QLORA: scores([2.0, 3.0, 4.0]), WANDA: scores([3.0, 4.0, 8.0]), FULL: scores([0.0] * 3)},
    7: {QLORA: scores([3.0, 4.0, 5.0]), WANDA: scores([0.0, 1.0, 5.0]), FULL: scores([0.0] * 3)},
}


def line(frame: pandas.DataFrame, row: Row, split: str = "test", metric: str = "rougeLsum"):
    place = (frame["pruner"] == row.pruner) & (frame["finetuning"] == row.finetuning)
    (found,) = frame[place & (frame["split"] == split) & (frame["metric"] == metric)].to_dict(
        "records"
    )
    return found


def test_three_seeds_by_hand():
    frame = seeds.table(SEEDS, ["rougeLsum"], "made up")
    assert list(frame.columns) == [*seeds.COLUMNS, "mean_42", "mean_43", "mean_7", "preset"]
    found = line(frame, QLORA)
    assert (found["seeds"], found["examples"], found["mean"]) == (3, 3, 3.0)
    assert [found[f"mean_{seed}"] for seed in SEEDS] == [2.0, 3.0, 4.0]
    assert found["between_seeds"] == 1.0
    assert found["between_examples"] == pytest.approx(1 / math.sqrt(3), abs=1e-6)
    assert found["ratio"] == pytest.approx(math.sqrt(3), abs=1e-6)
    assert math.isnan(found["minus_unpruned_mean"])
    twice = line(frame, QLORA, "validation")
    assert (twice["between_seeds"], twice["mean_7"]) == (2.0, 8.0)


def test_the_difference_is_paired_by_seed_and_by_example():
    found = line(seeds.table(SEEDS, ["rougeLsum"], "made up"), WANDA)
    # Wanda less unpruned: -1, -1, 2; then 1, 1, 4; then -3, -3, 0.
    assert found["minus_unpruned_mean"] == 0.0
    assert found["minus_unpruned_between_seeds"] == 2.0
    assert found["minus_unpruned_between_examples"] == 1.0
    assert found["between_examples"] == pytest.approx(math.sqrt(7 / 3), abs=1e-6)


def test_between_examples_is_the_quadratic_mean_over_seeds():
    given = {1: {QLORA: scores([0.0, 2.0])}, 2: {QLORA: scores([0.0, 14.0])}}
    found = line(seeds.table(given, ["rougeLsum"], "made up"), QLORA)
    assert found["between_examples"] == pytest.approx(math.sqrt((1 + 49) / 2), abs=1e-6)


def test_a_row_without_an_unpruned_one_and_without_spread():
    found = line(seeds.table(SEEDS, ["rougeLsum"], "made up"), FULL)
    assert (found["mean"], found["between_seeds"], found["between_examples"]) == (0, 0, 0)
    assert math.isnan(found["ratio"]) and math.isnan(found["minus_unpruned_mean"])


def test_luck_alone_and_bills_alone():
    """Simulated: seeds differ by 0.03, examples by 0.2, of which 400 make 0.01."""
    draw = np.random.default_rng(0)
    bills = draw.normal(0.5, 0.2, 400)
    given = {s: {QLORA: scores(list(bills + draw.normal(0, 0.03)))} for s in range(200)}
    found = line(seeds.table(given, ["rougeLsum"], "made up"), QLORA)
    assert found["between_seeds"] == pytest.approx(0.03, rel=0.15)
    assert found["between_examples"] == pytest.approx(0.01, rel=0.1)
    assert found["ratio"] == pytest.approx(3, rel=0.2)


def test_one_seed_has_no_spread_and_says_so():
    frame = seeds.table({42: SEEDS[42]}, ["rougeLsum"], "made up")
    assert frame["between_seeds"].isna().all() and frame["ratio"].isna().all()
    assert frame["minus_unpruned_between_seeds"].isna().all()
    assert frame["between_examples"].notna().all()
    text = seeds.markdown(frame, [42], ["rougeLsum"], "A note.")
    assert "one seed, which says nothing of the luck" in text and "nan" not in text
    frame = seeds.table(SEEDS, ["rougeLsum"], "made up")
    assert "There is one seed" not in seeds.markdown(frame, list(SEEDS), ["rougeLsum"], "A note.")


def test_every_metric_is_in_the_table_and_the_named_ones_in_the_text():
    frame = seeds.table(SEEDS, ["rougeLsum"], "made up")
    assert list(frame["metric"].unique()) == ["rougeLsum", "blank"]
    text = seeds.markdown(frame, list(SEEDS), ["rougeLsum"], "Miniature models.")
    assert "preset made up" in text.splitlines()[0] and "Miniature models." in text
    assert "blank" not in text
    assert text.index("## ROUGE-Lsum, test") < text.index("## ROUGE-Lsum, validation")
    cells = next(part for part in text.splitlines() if "| qlora wanda 2:4" in part).split("|")
    assert [cell.strip() for cell in cells[3:-1]] == [
        *("2.000", "5.000", "2.000", "3.000", "1.732", "1.528", "1.13", "+0.000 ±2.000")
    ]


def test_a_value_that_an_example_lacks_is_left_out():
    given = {s: {r: f.copy() for r, f in rows.items()} for s, rows in SEEDS.items()}
    given[43][WANDA].loc[5, "rougeLsum"] = np.nan
    found = line(seeds.table(given, ["rougeLsum"], "made up"), WANDA)
    assert (found["mean_43"], found["mean_42"], found["examples"]) == (3.5, 2.0, 2)


def test_other_bills_and_no_rows_are_refused():
    other = {43: {QLORA: SEEDS[43][QLORA].iloc[::-1].reset_index(drop=True)}}
    with pytest.raises(InputError, match="small qlora, seed 43: not the bills of small qlora, see"):
        seeds.table({42: {QLORA: SEEDS[42][QLORA]}} | other, ["rougeLsum"], "made up")
    with pytest.raises(InputError, match="no fine-tuned row"):
        seeds.table({42: {}, 43: {}}, ["rougeLsum"], "made up")
    with pytest.raises(InputError, match="'comparisons.metrics': .* has no scores 'rouge9'"):
        seeds.table(SEEDS, ["rouge9"], "made up")
