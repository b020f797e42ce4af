"""The table, from known figures."""

import io

import pandas
import pytest

from sparsesum.pages import table3

PAPER = "model,finetuning,pruner,sparsity,validation_rouge,validation_bertscore,test_rouge,test_bertscore,inference_seconds,nonzero_parameters,size_mb"  # noqa: E501
ROWS = [["m", "base", "none", "none"], ["m", "qlora", "wanda", "2:4"]]


def scores(mean: float) -> dict:
    metrics = ("rouge1", "rouge2", "rougeL", "rougeLsum", "bertscore")
    metrics += ("fact_f1", "unsupported", "rep_4", "longest_copy")
    split = {
        metric: {"mean": mean + i / 10, "low": mean - 0.02, "high": mean + 0.04}
        for i, metric in enumerate(metrics)
    }
    split |= {"examples": 100, "blank_share": 0.25, "cut_off_share": 0.5}
    split |= {
        f"{name}_share_{end}": 0.2 for name in ("blank", "cut_off") for end in ("low", "high")
    }
    better = split["rougeLsum"] | {"mean": split["rougeLsum"]["mean"] + 0.015}
    return {"validation": split | {"rougeLsum": better, "examples": 90}, "test": split}


def costs(engines: dict) -> dict:
    return {
        "inference_seconds": 1.5,
        "examples": 200,
        "ms_per_token": engines,
        "ms_per_token_runs": {engine: [value] * 3 for engine, value in engines.items()},
        "parameters": 2000,
        "nonzero_parameters": 1234567,
        "size_mb": 3.25,
        "device": "Some CPU, 2 threads",
        "dtype": "float32",
        "engine": "int8" if "int8" in engines else "dense",
        "batch_size": 25,
        "peak_memory_mb": 500.0,
    }


@pytest.fixture
def frame() -> pandas.DataFrame:
    trained = {"seconds": 9.5, "peak_memory_mb": 700.0}
    return table3.grid(
        rows=ROWS,
        scores=[[scores(0.1)], [scores(0.3)]],
        costs=[costs({"dense": 1.0}), costs({"dense": 1.1, "int8": 4.0})],
        training=[None, trained],
        preset="embedded",
        corpus="bills",
    )


def test_the_papers_columns_come_first_and_no_cell_of_them_is_empty(frame):
    assert ",".join(frame.columns).startswith(PAPER + ",")
    again = pandas.read_csv(io.StringIO(frame.to_csv(index=False)))
    assert not again[PAPER.split(",")].isna().any().any()


def test_the_columns_are_the_published_tables(shared, frame):
    header = (shared / "paper_table3.csv").read_text().splitlines()[0]
    assert header == PAPER == ",".join(table3.PAPER_COLUMNS)


def test_cells(frame):
    row = frame.iloc[1]
    assert row["test_rouge"] == pytest.approx(0.6)  # ROUGE-Lsum, as published
    assert row["test_rougeL"] == pytest.approx(0.5)
    assert (row["test_rouge_low"], row["test_rouge_high"]) == (0.28, 0.34)
    assert row["validation_bertscore"] == pytest.approx(0.7)
    assert (row["ms_per_token_dense"], row["ms_per_token_int8"]) == (1.1, 4.0)
    assert (row["training_seconds"], row["test_blank_share"]) == (9.5, 0.25)
    assert row["training_peak_memory_mb"] == 700
    assert (row["preset"], row["corpus"]) == ("embedded", "bills")
    assert pandas.isna(frame.iloc[0]["training_seconds"])
    assert pandas.isna(frame.iloc[0]["ms_per_token_int8"])
    assert not any("runs" in name for name in frame.columns)


def test_the_printed_table(frame):
    text = table3.markdown(frame, "Miniature models.", {})
    assert "preset embedded" in text.splitlines()[0]
    assert "Miniature models." in text
    assert "| m       | qlora         | wanda     | 2:4        |" in text
    assert "0.800 / 0.800 | 0.900 / 0.900 |" in text.replace("  ", " ")
    assert "| 0.615 ±0.030 " in text and "| 0.600 ±0.030 " in text
    assert "90 validation and 100 test examples" in text and "multiplied int8." in text
    assert "1,234,567" in text and "3.25" in text
    assert "Some CPU, 2 threads, float32, batch size 25" in text
    assert "MIXED" not in text


def test_a_mean_over_no_example_is_blank():
    one = scores(0.1)
    one["test"] = one["test"] | {}
    one["test"]["unsupported"] = {"mean": None, "low": None, "high": None}
    found = table3.grid(ROWS[:1], [[one]], [costs({"dense": 1.0})], [None], "embedded", "bills")
    assert found[["test_unsupported", "test_unsupported_low"]].isna().all(axis=None)
    assert "| 0.700 / none " in table3.markdown(found, "", {})


def test_times_of_different_machines_are_marked(frame):
    frame.loc[1, "device"] = "Another, 2 threads"
    assert "MIXED" in table3.markdown(frame, "", {})


GRID = [
    ["m", "base", "none", "none"],
    ["m", "qlora", "none", "none"],
    ["m", "full", "none", "none"],
    ["m", "qlora", "wanda", "2:4"],
]


def of_trainings(*means: list[float]) -> pandas.DataFrame:
    """The table of GRID from the means of each row's trainings; test ROUGE-Lsum is .3 more."""
    trained = {"seconds": 9.5, "peak_memory_mb": 700.0}
    return table3.grid(
        rows=GRID,
        scores=[[scores(mean) for mean in row] for row in means],
        costs=[costs({"dense": 1.0})] * 4,
        training=[None, trained, trained, trained],
        preset="embedded",
        corpus="bills",
    )


def test_scores_are_means_over_trainings_and_intervals_hold_for_others():
    frame = of_trainings([0.1], [0.5, 0.3], [0.6, 0.6], [0.2, 0.1])
    base, qlora, full, wanda = (row for _, row in frame.iterrows())
    assert pandas.isna(base["trainings"]) and list(frame["trainings"][1:]) == [2, 2, 2]
    assert (base["test_rouge"], base["test_rouge_low"]) == (0.4, 0.08)  # as it was
    assert qlora["test_rouge"] == pytest.approx(0.7) and wanda["test_rouge"] == pytest.approx(0.45)
    # Pooled over three rows of two trainings: variances .02, 0 and .005; t of 3 degrees is 3.182.
    deviation = ((0.02 + 0 + 0.005) / 3) ** 0.5
    assert qlora["test_rouge_between_trainings"] == pytest.approx(deviation, abs=1e-4)
    more = 3.1824 * deviation / 2**0.5
    # Over bills alone the ends are .38 and .44 (mean of the trainings'), the mean is .7.
    assert qlora["test_rouge_low"] == pytest.approx(0.7 - (0.32**2 + more**2) ** 0.5, abs=1e-4)
    assert full["test_rouge_low"] == pytest.approx(0.9 - (0.32**2 + more**2) ** 0.5, abs=1e-4)
    text = table3.markdown(frame, "", {})
    assert "scores are means of 2 trainings" in text and "alone" not in text


def test_a_figure_that_one_training_lacks_has_no_mean():
    one, other = scores(0.5), scores(0.3)
    other["test"]["unsupported"] = {"mean": None, "low": None, "high": None}
    both = table3.over_trainings([GRID[1]], [[one, other]])
    assert both[0]["test"]["unsupported"] == {"mean": None, "low": None, "high": None}
    assert both[0]["test"]["examples"] == 100


def test_one_training_has_the_interval_of_the_bills_alone_and_the_table_says_so():
    text = table3.markdown(of_trainings([0.1], [0.5], [0.6], [0.2]), "", {})
    assert "and over them alone: another training of a row moves it as well." in text
    assert "one training a row does not tell." in text


def test_what_the_table_shows_is_read_off_it():
    frame = of_trainings([0.1], [0.5], [0.6], [0.2])
    found = table3.told(frame, {"m": 0.01})
    assert "m full 0.900 > qlora 0.800 > base 0.400." in found
    assert "m -0.300 (qlora wanda 2:4)" in found
    assert "less than 0.03 may be the luck" in found  # 1.96 times the root of 2 times .01
    assert found.count(". ") == 1  # two sentences
    # The other way round it says the other.
    assert "+0.100 (qlora wanda 2:4)" in table3.told(of_trainings([0.1], [0.5], [0.6], [0.6]), {})
    assert "+0.000 (qlora wanda 2:4)" in table3.told(
        of_trainings([0.1], [0.5], [0.6], [0.4999]), {}
    )
    assert table3.told(frame[:1], {}) == ""
