"""Differences of rows: known values, normal theory, Holm's procedure, missing examples."""

import subprocess
import sys
from itertools import combinations

import numpy as np
import pandas
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from sparsesum.base.errors import InputError
from sparsesum.evidence import comparison
from sparsesum.evidence.comparison import HIGHER, LOWER, UNDECIDED, compare, family, holm
from sparsesum.experiment.grid import Row
from sparsesum.pages import comparison_text

BASE = Row("small", "base", "none", "none")
FULL = Row("small", "full", "none", "none")
QLORA = Row("small", "qlora", "none", "none")
WANDA = Row("small", "qlora", "wanda", "2:4")
LARGE = Row("large", "base", "none", "none")
LEVELS = {BASE: 0.2, FULL: 0.8, QLORA: 0.6, WANDA: 0.5, LARGE: 0.2}
BILLS = 60


def results(levels: dict[Row, float] = LEVELS, noise: float = 0.05) -> dict[Row, pandas.DataFrame]:
    """Scores of each row: the bill's own level, the row's, and noise; on validation 0.1 less."""
    draw = np.random.default_rng(1)
    bills = draw.uniform(-0.2, 0.2, 2 * BILLS)
    splits = ["validation"] * BILLS + ["test"] * BILLS
    return {
        row: pandas.DataFrame(
            {
                "split": splits,
                "id": [f"{split}-{i % BILLS}" for i, split in enumerate(splits)],
                "rougeLsum": bills + level + draw.normal(0, noise, 2 * BILLS),
                "fact_f1": bills + draw.normal(0, noise, 2 * BILLS),
            }
        )
        for row, level in levels.items()
    }


def table(scores=None, metrics=("rougeLsum",), resamples=999, seed=0) -> pandas.DataFrame:
    return comparison.table(scores or results(), metrics, resamples, seed, "simulated")


def line(frame: pandas.DataFrame, row: Row, other: Row, split: str = "test") -> pandas.Series:
    (found,) = [
        cells
        for _, cells in frame[frame["split"] == split].iterrows()
        if (Row(*cells[comparison.CELLS]), Row(*cells[[f"other_{c}" for c in comparison.CELLS]]))
        == (row, other)
    ]
    return found


def test_a_difference_is_the_paired_t_tests():
    draw = np.random.default_rng(2)
    gaps = draw.normal([[0.0], [0.05], [0.1], [0.2]], 0.5, (4, 300))
    found = compare(gaps, 19999, 1)
    test = stats.ttest_1samp(gaps, 0, axis=-1)
    ends = test.confidence_interval()
    assert found.value == pytest.approx(gaps.mean(-1))
    assert found.low == pytest.approx(ends.low, abs=0.004)
    assert found.high == pytest.approx(ends.high, abs=0.004)
    assert found.p == pytest.approx(test.pvalue, abs=0.012)


def test_p_values_by_hand():
    """Two examples: a resample's mean is -1 or 3 in a quarter of cases each, and else 1."""
    found = compare(np.array([[-1.0, 3.0], [1.0, 3.0], [0.0, 0.0], [0.3, 0.3]]), 9999, 1)
    assert found.p[0] == pytest.approx(2 * 0.25, abs=0.03)
    assert list(found.p[1:]) == [2 / 10000, 1, 2 / 10000]  # never 0, never above 1
    assert list(found.low) == [-1, 1, 0, 0.3] and list(found.high) == [3, 3, 0, 0.3]


@given(st.integers(0, 10**6), st.sampled_from([39, 199, 999]), st.floats(-0.5, 0.5))
def test_p_and_interval_say_the_same(seed, resamples, shift):
    gaps = np.random.default_rng(seed).normal(shift, 1, (5, 20))
    found = compare(gaps, resamples, seed)
    assert ((found.p <= 0.05) == ((found.low > 0) | (found.high < 0))).all()
    assert (found.p >= 2 / (resamples + 1)).all() and (found.p <= 1).all()
    turned = compare(-gaps, resamples, seed)
    assert turned.p == pytest.approx(found.p) and turned.low == pytest.approx(-found.high)


def test_all_pairs_are_resampled_by_the_same_draws():
    gaps = np.random.default_rng(3).normal(0, 1, (3, 50))
    found = compare(np.stack([gaps[0], 2 * gaps[0] + 1, gaps[2]]), 999, 7)
    assert found.low[1] == pytest.approx(2 * found.low[0] + 1)
    alone = compare(gaps[2:], 999, 7)
    assert alone.low == pytest.approx(found.low[2:]) and alone.p == found.p[2:]


def test_holm_on_a_published_example():
    # R's p.adjust and the literature's usual four: the first and the last are rejected at 5 %.
    found = holm(np.array([0.01, 0.04, 0.03, 0.005]))
    assert found == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert holm(np.array([0.5, 0.6])) == pytest.approx([1, 1])
    assert holm(np.array([0.02])) == [0.02]


PS = st.lists(st.floats(0.0001, 1), min_size=1, max_size=12).map(np.array)


@given(PS, st.randoms())
def test_holm_is_between_none_and_bonferroni_and_keeps_the_order(p, random):
    found = holm(p)
    assert (found >= p).all() and (found <= np.minimum(1, len(p) * p) + 1e-12).all()
    assert found.min() == pytest.approx(min(1, len(p) * p.min()))
    for i, j in combinations(range(len(p)), 2):
        assert p[i] > p[j] or found[i] <= found[j]
    order = random.sample(range(len(p)), len(p))
    assert (holm(p[order]) == found[order]).all()


@given(PS, st.floats(0.001, 0.999))
def test_holm_rejects_as_his_steps_do(p, level):
    """The least p against level / m, the next against level / (m - 1), until one is above."""
    order = np.argsort(p)
    steps = p[order] * np.arange(len(p), 0, -1) <= level
    rejected = set(order[: len(p) if steps.all() else int(np.argmin(steps))])
    assert set(np.flatnonzero(holm(p) <= level)) == rejected


def test_the_table():
    frame = table(metrics=["rougeLsum", "fact_f1"])
    assert list(frame.columns) == comparison.COLUMNS
    assert len(frame) == 2 * 2 * 10 and (frame["preset"] == "simulated").all()
    assert list(frame["split"].unique()) == ["validation", "test"]
    rouge = frame[frame["metric"] == "rougeLsum"]
    found = line(rouge, QLORA, WANDA)
    assert (found["verdict"], found["examples"]) == (HIGHER, BILLS)
    assert found["difference"] == pytest.approx(0.1, abs=0.03)
    # Paired: what a bill adds to both rows is no noise.
    assert found["high"] - found["low"] == pytest.approx(
        2 * 1.96 * 0.05 * (2 / BILLS) ** 0.5, rel=0.3
    )
    assert line(rouge, BASE, FULL)["verdict"] == LOWER
    assert line(rouge, BASE, LARGE)["verdict"] == UNDECIDED
    for _, lines in frame.groupby(["metric", "split"]):
        assert list(lines["p_holm"]) == pytest.approx(list(holm(lines["p"].to_numpy())))
    assert (frame.loc[frame["metric"] == "fact_f1", "verdict"] == UNDECIDED).mean() > 0.8
    assert table().equals(table()) and not table().equals(table(seed=1))


def test_the_verdict_is_holms_and_not_the_intervals():
    """Of ten pairs one is near the edge: its interval leaves 0 out, its adjusted p does not."""
    gap = 2.4 * 0.05 * (2 / BILLS) ** 0.5
    scores = results(dict.fromkeys(LEVELS, 0.4))
    one, other = scores[QLORA], scores[WANDA]
    noise = one["rougeLsum"] - other["rougeLsum"]
    for split in ("validation", "test"):
        place = one["split"] == split
        other.loc[place, "rougeLsum"] += noise[place].mean() - gap
    found = line(table(scores, resamples=9999), QLORA, WANDA)
    assert found["low"] > 0 and found["p"] < 0.05 < found["p_holm"]
    assert found["verdict"] == UNDECIDED


def test_a_pair_is_compared_on_the_examples_that_both_have():
    scores = results()
    scores[QLORA].loc[scores[QLORA].index[-5:], "rougeLsum"] = np.nan
    scores[WANDA].loc[scores[WANDA].index[-8:-3], "rougeLsum"] = np.nan
    frame = table(scores)
    both = scores[QLORA]["rougeLsum"] - scores[WANDA]["rougeLsum"]
    found = line(frame, QLORA, WANDA)
    assert found["examples"] == BILLS - 8
    assert found["difference"] == pytest.approx(both[BILLS:].mean(), abs=1e-6)
    alone = compare(both[BILLS:].dropna().to_numpy()[None], 999, 0)
    assert found["low"] == pytest.approx(alone.low[0], abs=1e-6)
    assert line(frame, BASE, FULL)["examples"] == BILLS
    assert line(frame, QLORA, WANDA, "validation")["examples"] == BILLS


def test_a_pair_without_two_examples_has_no_figures_and_is_none_of_the_family():
    values = np.random.default_rng(5).normal(0, 1, (3, 30))
    values[2, 1:] = np.nan
    frame = family(values, 199, 0)
    assert list(frame["examples"]) == [30, 1, 1]
    assert frame.loc[1:, ["difference", "low", "high", "p", "p_holm"]].isna().all(None)
    assert frame.loc[0, "p_holm"] == frame.loc[0, "p"]
    scores = results()
    scores[WANDA]["rougeLsum"] = np.nan
    found = table(scores)
    assert (line(found, QLORA, WANDA)["verdict"]) == UNDECIDED
    assert "too few examples" in comparison_text.markdown(found, "A note.")


def test_other_bills_are_refused():
    scores = results()
    scores[WANDA] = scores[WANDA].iloc[::-1].reset_index(drop=True)
    with pytest.raises(InputError, match="small qlora wanda 2:4: not the bills of small base; del"):
        table(scores)


def test_one_row_or_one_example_is_refused():
    with pytest.raises(InputError, match="one row, small base; a comparison needs two"):
        table({BASE: results()[BASE]})
    scores = {row: frame.iloc[BILLS - 1 :].reset_index() for row, frame in results().items()}
    with pytest.raises(InputError, match="small base: 1 validation example; a comparison needs"):
        table(scores)


def test_an_unknown_metric_is_named_with_those_there_are():
    said = "'comparisons.metrics': small base has no scores 'rouge9'; allowed: rougeLsum, fact_f1"
    with pytest.raises(InputError, match=said):
        table(metrics=["rouge9"])


def test_too_few_resamples_for_so_many_pairs_are_refused():
    """With 10 pairs the least p must be 0.005 at most: 2 / (399 + 1)."""
    with pytest.raises(InputError, match="398 can show no difference among 10 .*: 399 or more"):
        table(resamples=398)
    assert line(table(resamples=399), BASE, FULL)["p_holm"] == pytest.approx(0.05)
    assert line(table(resamples=399), BASE, FULL)["verdict"] == LOWER


def test_the_print():
    frame = table(metrics=["fact_f1", "rougeLsum"])
    text = comparison_text.markdown(frame, "Miniature models.")
    assert "preset simulated" in text.splitlines()[0] and "Miniature models." in text
    assert text.index("## Fact F1, test") < text.index("## ROUGE-Lsum, test")
    assert text.index("## ROUGE-Lsum, test") < text.index("## Fact F1, validation")
    section = text.split("## ROUGE-Lsum, test")[1].split("##")[0]
    cells = {
        parts[2]: parts[3:7]
        for part in section.splitlines()
        if len(parts := [cell.strip() for cell in part.split("|")]) > 6
    }
    assert list(cells)[2:] == ["base", "full", "qlora", "qlora wanda 2:4"]  # large has one row
    minus_base, minus_unpruned, higher, lower = cells["qlora wanda 2:4"]
    assert minus_base.startswith("**+0.3") and minus_unpruned.startswith("**-0.09")
    assert (higher, lower) == ("base", "full, qlora")
    turned = line(frame[frame["metric"] == "rougeLsum"], BASE, QLORA)
    ends = f"[{-turned['high']:+.3f}, {-turned['low']:+.3f}]"
    assert cells["qlora"][0] == f"**{-turned['difference']:+.3f}** {ends}"
    assert cells["full"][1:] == ["", "all others", ""]
    assert "9 of all 10 pairs differ. 60 examples." in section
    assert "nan" not in text and "None" not in text


def test_nothing_heavy_is_imported():
    code = (
        "import sys, sparsesum.pages.comparison_text, sparsesum.evidence.seeds;"
        "print({'torch', 'transformers', 'evaluate'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"
