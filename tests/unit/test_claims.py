"""Known effects come out as known; intervals and decision sizes are those of other sources."""

import subprocess
import sys

import numpy as np
import pandas
import pytest
from scipy import stats
from simulated import COUNT, ROWS, SOURCE, Results, find

from sparsesum.base.errors import InputError
from sparsesum.evidence import claim_tests, claims
from sparsesum.evidence.claim_costs import UNCLEAR
from sparsesum.evidence.claim_lines import NOT_TESTABLE
from sparsesum.experiment.grid import Row
from sparsesum.scoring.bootstrap import FAILS, HOLDS, UNDECIDED, estimate


def test_a_ratio_of_means_is_the_delta_methods():
    draw = np.random.default_rng(8)
    dense = draw.normal(0.5, 0.1, 400)
    pruned = 0.8 * dense + draw.normal(0, 0.05, 400)
    columns = [pruned, dense, dense, dense]  # the second model loses nothing
    found = estimate(*columns, resamples=4000, seed=1, statistic=claim_tests.relative_loss_gap)
    ratio = pruned.mean() / dense.mean()
    error = (pruned - ratio * dense).std() / dense.mean() / 20
    assert found.value == pytest.approx(1 - ratio)
    assert found.error == pytest.approx(error, rel=0.05)


@pytest.mark.parametrize(("fifty", "said"), [(0.44, HOLDS), (0.36, FAILS), (0.4005, UNDECIDED)])
def test_claim_1(fifty, said):
    line = find(Results({"wanda 50%": fifty}).table(), 1, "unstructured")
    assert line["verdict"] == said
    assert line["estimate"] == pytest.approx(fifty - 0.4, abs=0.01)
    assert line["examples"] == COUNT
    assert "small qlora wanda 50% minus 4:8, 2:4; large" in line["contrast"]
    assert "sparsegpt" not in line["contrast"]


def test_claim_1_takes_each_group_once():
    """The mean over groups of 50 % minus the mean of a group's N:M rows; by hand."""
    results = Results({})
    rows = {claim_tests.named(row): frame["rougeLsum"] for row, frame in results.scores.items()}
    gap = np.mean(
        [
            rows[f"{m} qlora wanda 50%"]
            - (rows[f"{m} qlora wanda 4:8"] + rows[f"{m} qlora wanda 2:4"]) / 2
            for m in ("small", "large")
        ],
        axis=0,
    )
    line = find(results.table(), 1, "unstructured")
    assert line["estimate"] == pytest.approx(gap.mean(), abs=1e-4)
    half = 1.96 * gap.std() / COUNT**0.5
    assert line["high"] - line["low"] == pytest.approx(2 * half, rel=0.15)


@pytest.mark.parametrize(
    ("int8", "said"),
    [([3.6, 4.0, 4.4], HOLDS), ([1.1, 1.2, 1.3], FAILS), ([1.9, 2.1, 2.3], UNCLEAR)],
)
def test_claim_2(int8, said):
    results = Results({})
    cost = results.costs[Row("large", "qlora", "none", "none")]
    cost["ms_per_token_runs"]["int8"], cost["ms_per_token"]["int8"] = int8, int8[1]
    line = find(results.table(), 2, "large")
    ends = [round(int8[0] / 1.1, 4), round(int8[2] / 0.9, 4)]
    assert (line["claim"], line["verdict"]) == ("2c", said)
    assert [line["low"], line["high"]] == ends and line["estimate"] == int8[1]
    # The same kernels in transformers' loop, beside what it takes for dense weights.
    paper = find(results.table(), 2, "large, int8 / dense, both by transformers")
    assert paper["claim"] == "2d" and paper["estimate"] == round(int8[1] / 2, 4)
    assert "qlora unpruned" in paper["contrast"]
    assert pandas.isna(line["examples"]) and pandas.isna(line["examples_to_decide"])


def test_claim_2_takes_no_verdict_from_a_single_run():
    results = Results({})
    results.costs[Row("small", "base", "none", "none")]["ms_per_token_runs"]["dense"] = [1.0]
    line = find(results.table(), 2, "small")
    assert line["verdict"] == NOT_TESTABLE and "measure.repeats" in line["contrast"]


def test_claim_2_takes_no_verdict_from_times_lost_in_noise():
    results = Results({})
    cost = results.costs[Row("small", "base", "none", "none")]
    cost["ms_per_token_runs"]["dense"] = [-0.2, 0.1, 1.1]
    line = find(results.table(), 2, "small")
    assert line["verdict"] == NOT_TESTABLE and "quiet machine" in line["contrast"]
    assert pandas.isna(line["estimate"])


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"small magnitude": 0.5}, HOLDS),
        ({"magnitude": 0.3}, FAILS),
        ({"magnitude": 0.3, "small magnitude": 0.4}, UNDECIDED),
        ({}, UNDECIDED),
    ],
)
def test_claim_3(levels, said):
    frame = Results(levels).table()
    line = find(frame, 3, "any pair")
    assert line["verdict"] == said and line["claim"] == "3a"
    pairs = frame[frame["claim"].str.startswith("3")].iloc[1:]
    assert len(pairs) == 4
    assert not pairs["contrast"].str.contains("50%|4:8").any()
    # The figures are those of one of the pairs.
    assert tuple(line[["estimate", "low"]]) in set(
        zip(pairs["estimate"], pairs["low"], strict=True)
    )


@pytest.mark.parametrize(
    ("levels", "said"),
    [
        ({"small 2:4": 0.2, "small 4:8": 0.2, "large 2:4": 0.36, "large 4:8": 0.36}, HOLDS),
        ({"small 2:4": 0.36, "small 4:8": 0.36, "large 2:4": 0.2, "large 4:8": 0.2}, FAILS),
        ({"2:4": 0.3, "4:8": 0.3}, UNDECIDED),
        # The same relative loss of unequal models: the difference of scores would say "fails".
        ({"large": 0.8, "large 2:4": 0.6, "large 4:8": 0.6, "small 2:4": 0.3, "small 4:8": 0.3},
         UNDECIDED),
    ],
)  # fmt: skip
def test_claim_4(levels, said):
    line = find(Results(levels).table(), 4, "small minus large")
    assert line["verdict"] == said
    assert "wanda 50%" not in line["contrast"]


def test_claim_4_without_a_score_to_lose():
    results = Results({})
    results.scores[Row("small", "qlora", "none", "none")]["rougeLsum"] = 0.0
    line = find(results.table(), 4, "small minus large")
    assert line["verdict"] == NOT_TESTABLE and "scores 0" in line["contrast"]


@pytest.mark.parametrize(
    ("copy", "repeat", "said"),
    [(0.05, -0.1, HOLDS), (-0.1, -0.05, FAILS), (0.0005, -0.1, UNDECIDED)],
)
def test_claim_5(copy, repeat, said):
    results = Results({})
    results.cheats = {"copy": copy, "repeat": repeat}
    frame = results.table()
    assert find(frame, 5, "ROUGE-Lsum, any").verdict == said
    assert find(frame, 5, "small, ROUGE-Lsum, repeat").verdict == FAILS
    # BERTScore is the base's own here: no difference, and none to be found with more examples.
    line = find(frame, 5, "BERTScore, any")
    assert line["verdict"] == UNDECIDED and pandas.isna(line["examples_to_decide"])


@pytest.mark.parametrize(("slope", "said"), [(-0.002, HOLDS), (0.002, FAILS), (0.0, UNDECIDED)])
def test_claim_6(slope, said):
    results = Results({"full": 0.8})
    full = results.scores[Row("small", "full", "none", "none")]
    full["rougeLsum"] += slope * (np.array(results.lengths) - 200)
    line = find(results.table(), 6, "small")
    assert line["verdict"] == said
    assert line["estimate"] == pytest.approx(-slope * COUNT / 2, abs=0.02)
    assert line["examples"] == COUNT


def test_claim_6_with_truncated_prompts():
    results = Results({})
    results.lengths = [100 + i for i in range(80)] + [1024] * 120
    line = find(results.table(), 6, "small")
    assert "prompts (80, up to 179 tokens) minus on the longer (120)" in line["contrast"]
    results.lengths = [1024] * COUNT
    assert find(results.table(), 6, "small")["verdict"] == NOT_TESTABLE


def test_claim_7():
    frame = Results({"qlora unpruned": 0.5, "large qlora unpruned": 0.3, "full": 0.3}).table()
    said = {
        "small qlora, unpruned": HOLDS,
        "large qlora, unpruned": FAILS,
        "small, full": FAILS,
        "large, full": UNDECIDED,
    }
    for words, wanted in said.items():
        assert find(frame, 7, words)["verdict"] == wanted, words
    assert find(frame, 7, "small qlora").estimate == pytest.approx(0.1, abs=0.01)


def test_claim_8():
    results = Results({})
    pruned = [row for row in ROWS if row.model == "small" and row.pruner != "none"]
    for row, seconds, size in zip(pruned, [4, 5, 6, 7, 8], [1.0, 1.1, 1.2, 1.3, 2.0], strict=True):
        results.costs[row] |= {"inference_seconds": seconds, "size_mb": size}
    frame = results.table()
    line = find(frame, 8, "small qlora, nonzero")
    assert (line["verdict"], line["estimate"], line["low"]) == (FAILS, 0.7, 0.7)
    line = find(frame, 8, "small qlora, inference")
    assert (line["verdict"], line["low"], line["high"]) == (UNCLEAR, 0.8, 1.6)
    assert find(frame, 8, "small qlora, bytes")["verdict"] == UNCLEAR
    assert find(frame, 8, "large qlora, bytes")["verdict"] == HOLDS
    assert pandas.isna(line["examples"])


COPIED = " ".join(SOURCE.split()[3:12])


@pytest.mark.parametrize(
    ("prediction", "share"),
    [
        ("", 0),
        ("A new summary of it .", 0),
        (COPIED, 1),
        (COPIED.upper().replace(" ", "\n"), 1),
        (" ".join(COPIED.split()[:7]), 0),  # a run of 7 is not 8
        (COPIED + " and more of what is not there at all", 0.5),
        ("no more of it no more of that", 6 / 8),
        ("one two one two", 0),
    ],
)
def test_repeated_words(prediction, share):
    assert claim_tests.repeated_words(prediction, SOURCE) == pytest.approx(share)


@pytest.mark.parametrize(("bad", "said"), [(140, HOLDS), (60, FAILS), (101, UNDECIDED)])
def test_claim_9(bad, said):
    results = Results({})
    results.predictions = [" "] * 20 + [COPIED] * (bad - 20) + ["A short one ."] * (COUNT - bad)
    line = find(results.table(), 9, "small")
    assert (line["verdict"], line["estimate"]) == (said, bad / COUNT)
    assert "blank (20)" in line["contrast"] and f"twice ({bad - 20})" in line["contrast"]


@pytest.mark.parametrize("rows", [[ROWS[0]], [ROWS[3]], ROWS[:3], ROWS[1:2] + ROWS[8:9]])
def test_what_the_grid_lacks_is_not_testable(rows):
    frame = Results({}).table(rows)
    assert set(frame["claim"].str[0]) == set("123456789")
    assert list(frame.columns) == claims.COLUMNS
    blank = frame[frame["verdict"] == NOT_TESTABLE]
    assert {"1", "3", "4"} <= set(blank["claim"])
    assert blank[["estimate", "low", "high", "examples", "examples_to_decide"]].isna().all(None)
    assert (blank["contrast"].str.len() > 20).all()
    assert claims.markdown(frame, "A note.").count(NOT_TESTABLE) == len(blank)


def test_the_table_and_its_print():
    frame = Results({}).table()
    assert list(frame["claim"].str[0].unique()) == list("123456789")
    assert frame["claim"].is_unique and (frame["preset"] == "simulated").all()
    text = claims.markdown(frame, "Miniature models.")
    assert "preset simulated" in text.splitlines()[0] and "Miniature models." in text
    assert "| 1  | unstructured 50% minus N:M" in text
    for what, how in frame["contrast"].str.split(": ", n=1):
        assert what in text and how in text
    assert "- 3b, 3c, 3d, 3e: test ROUGE-Lsum" in text
    assert "nan" not in text.lower().replace("dominant", "") and "None" not in text


def test_other_bills_are_refused():
    results = Results({})
    results.scores[ROWS[4]] = results.scores[ROWS[4]].iloc[::-1]
    with pytest.raises(InputError, match="small qlora wanda 4:8: not the test bills of small base"):
        results.table()


def test_one_example_is_refused():
    results = Results({})
    results.scores = {row: frame.iloc[:1] for row, frame in results.scores.items()}
    with pytest.raises(InputError, match="1 test example; a comparison needs two"):
        results.table([ROWS[3]])


def test_nothing_heavy_is_imported():
    code = (
        "import sys, sparsesum.evidence.claims; print({'torch', 'transformers'} & set(sys.modules))"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


@pytest.mark.parametrize(
    ("claim", "words", "comparisons"),
    [(3, "small qlora magnitude 2:4 minus wanda", 4), (5, "small, ROUGE-Lsum, repeat", 8)],
)
def test_intervals_of_a_family_hold_all_at_once(claim, words, comparisons):
    results = Results({})
    if claim == 3:
        one, other = (
            results.scores[Row("small", "qlora", pruner, "2:4")]["rougeLsum"]
            for pruner in ("magnitude", "wanda")
        )
        error = (one - other).std() / COUNT**0.5
    else:
        error = 0.02 / COUNT**0.5  # what the simulated cheats scatter about the base
    line = find(results.table(resamples=4000), claim, words)
    z = stats.norm.ppf(1 - 0.05 / comparisons / 2)
    assert (line["high"] - line["low"]) / 2 == pytest.approx(z * error, rel=0.12)


def test_claim_1_compares_the_same_share_alone():
    results = Results({})
    less = Row("small", "qlora", "wanda", "30%")
    nm = Row("small", "qlora", "wanda", "2:4")
    results.scores[less] = results.scores[nm].copy()
    results.costs[less] = results.costs[nm]
    assert find(results.table([nm, less]), 1, "unstructured")["verdict"] == NOT_TESTABLE


def test_claim_9_counts_a_prediction_of_which_just_half_is_copied():
    results = Results({})
    eight = " ".join(SOURCE.split()[3:11])
    results.predictions = [f"{eight} a b c d e f g h"] * COUNT
    assert claim_tests.repeated_words(results.predictions[0], SOURCE) == 0.5
    line = find(results.table(), 9, "small")
    assert (line["estimate"], line["verdict"]) == (1.0, HOLDS)
