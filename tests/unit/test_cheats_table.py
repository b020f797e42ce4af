"""The table of cheats, from known scores."""

import pandas
import pytest

from sparsesum import cheats_table

IDS = [f"b{i}" for i in range(40)]


def frame(split: str, rouge: float, fact: float, **more) -> pandas.DataFrame:
    wave = [0.01 * (i % 5) for i in range(len(IDS))]
    return pandas.DataFrame(
        {
            "split": split,
            "id": IDS,
            "rougeLsum": [rouge + w for w in wave],
            "bertscore": 0.5,
            "fact_f1": [fact + w for w in wave],
            **more,
        }
    )


@pytest.fixture
def table() -> pandas.DataFrame:
    kinds = {"copy": (0.4, 0.0), "append": (0.3, 0.2), "repeat": (0.1, 0.1), "blank": (0.0, 0.0)}
    own = pandas.concat([frame(split, 0.2, 0.3) for split in ("validation", "test")])
    cheats = pandas.concat(
        [
            # Another order: bills are told by their id.
            frame(split, *scores, cheat=kind)[::-1]
            for split in ("validation", "test")
            for kind, scores in kinds.items()
        ]
    )
    cheats.loc[cheats["id"] == "b0", "fact_f1"] = float("nan")
    return cheats_table.table({"m": own}, {"m": cheats}, "embedded", 200, 0)


def test_a_line_for_each_split_prediction_and_metric(table):
    assert list(table.columns) == cheats_table.COLUMNS and len(table) == 2 * 5 * 3
    line = table.set_index(["split", "prediction", "metric"]).loc[("test", "copy", "rougeLsum")]
    assert line["mean"] == pytest.approx(0.42) and line["low"] < 0.42 < line["high"]
    # The waves are the same for each bill: the paired difference has no width.
    assert (line["difference"], line["difference_low"], line["difference_high"]) == (0.2,) * 3
    assert (line["examples"], line["raised"]) == (40, 40)


def test_what_is_not_raised_and_what_has_no_value(table):
    lines = table[table["metric"] == "fact_f1"].set_index(["split", "prediction"])
    line = lines.loc[("test", "copy")]
    assert (line["examples"], line["raised"]) == (39, 0)
    assert line["difference"] == pytest.approx(-0.3)
    assert lines.loc[("test", "own"), "raised"] == 0


def test_the_printed_table_marks_what_is_raised(table):
    text = cheats_table.markdown(table, "Miniature models.")
    (copied,) = [line for line in text.splitlines() if "test " in line and "opening" in line][:1]
    assert "**0.420 ±0.004**, 40" in copied and " 0.021 ±0.005, 0 " in copied
    assert "preset embedded" in text and "Miniature models." in text
