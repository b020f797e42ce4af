"""The compression table: shares of the unshrunk row's costs, controls, and what is said of them."""

import pandas
import pytest

from sparsesum.pages import plot_compression, table_compression

ROWS = [
    ["m", "full", "none", "none", "none"],
    ["m", "full", "layers_50%", "none", "none"],
    ["m", "full", "random_layers_50%", "none", "none"],
    ["m", "full", "layers_50%+neurons_50%", "none", "none"],
    ["m", "qlora", "layers_50%", "wanda", "2:4"],
]
ROUGE = [0.9, 0.88, 0.6, 0.8, 0.7]
PARAMETERS = [1000, 700, 700, 500, 600]


def made() -> pandas.DataFrame:
    scores = [
        {
            split: {
                "examples": 50,
                "rougeLsum": {"mean": rouge, "low": rouge - 0.01, "high": rouge + 0.01},
                "bertscore": {"mean": rouge, "low": rouge, "high": rouge},
            }
            for split in ("validation", "test")
        }
        for rouge in ROUGE
    ]
    costs = [
        {
            "parameters": parameters,
            "nonzero_parameters": parameters,
            "size_mb": parameters / 100,
            "engine": "dense",
            "ms_per_token": {"dense": parameters / 1000, "int8": 9.0},
            "inference_seconds": 5.0,
            "device": "a machine",
        }
        for parameters in PARAMETERS
    ]
    return table_compression.table(ROWS, scores, costs, "bills", "tiny")


def test_shares_are_of_the_row_that_is_neither_shrunk_nor_pruned():
    frame = made()
    assert frame["parameters_share"].tolist()[:4] == [1, 0.7, 0.7, 0.5]
    assert frame["ms_per_token_share"].tolist()[:4] == [1, 0.7, 0.7, 0.5]
    assert frame["seconds_per_bill"].tolist() == [0.05] * 5
    assert frame["test_rouge_difference"].tolist()[:4] == [0, -0.02, -0.3, -0.1]
    # No row of QLoRA is whole.
    assert frame.iloc[4][["parameters_share", "test_rouge_difference"]].isna().all()


def test_a_control_differs_in_what_is_drawn_at_random():
    assert made()["control"].tolist()[1] == 0.6
    assert made()["control"].drop(1).isna().all()


def test_what_is_said_is_read_off_the_table():
    frame = made()
    said = table_compression.told(frame, {"m": 0.01})
    assert said.startswith("2 of 3 shrunk rows have at most 0.70")
    assert "of these, 1 lie within 0.03 of its test ROUGE: m full layers_50% (-0.020)." in said
    assert said.endswith("1 are better than it by more than the luck of a training may make.")
    assert "0 are better" in table_compression.told(frame, {"m": 0.2})
    assert "control" not in table_compression.told(frame, {})  # the spread is not known


def test_the_table_for_people_has_each_share_behind_its_cost():
    text = table_compression.markdown(made(), "A note.", {})
    line = next(line for line in text.splitlines() if "| layers_50% " in line)
    assert "0.880 ±0.010" in line and "700 (0.70)" in line and "7.00 (0.70)" in line
    assert "0.600" in line  # its control
    assert text.startswith("# Compression, preset tiny\n\nA note.")


@pytest.mark.slow
def test_the_plot_draws_every_row_and_is_the_same_twice(tmp_path):
    for name in ("one", "two"):
        plot_compression.compression(made(), tmp_path / name)
    drawn = (tmp_path / "one").read_bytes()
    assert drawn == (tmp_path / "two").read_bytes()
    assert b"layers_50%+neurons_50%" in drawn and b"Latency [ms a token]" in drawn
