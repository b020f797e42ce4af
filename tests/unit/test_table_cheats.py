"""The table of cheats, from known scores."""

import pandas
import pytest

from sparsesum.pages import table_cheats

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
    return table_cheats.table({"m": own}, {"m": cheats}, "embedded", 200, 0)


def test_a_line_for_each_split_prediction_and_metric(table):
    assert list(table.columns) == table_cheats.COLUMNS and len(table) == 2 * 5 * 3
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


def test_an_interval_has_its_low_end_first_and_is_marked_only_clear_of_zero():
    """Half of the bills gain, half lose, but for one that gains less than a score's last digit."""
    own = frame("test", 0.2, 0.3)
    gaps = [1e-9] + [0.1 - 0.2 * (i % 2) for i in range(len(IDS) - 1)]
    cheat = own.assign(cheat="copy", rougeLsum=own["rougeLsum"] + gaps)
    cheat.loc[1, "fact_f1"] = 0.8
    own.loc[0, "fact_f1"] = float("nan")
    found = table_cheats.table({"m": own}, {"m": cheat}, "embedded", 200, 0)
    lines = found.set_index(["prediction", "metric"])
    line = lines.loc[("copy", "rougeLsum")]
    assert line["difference_low"] < 0 < line["difference_high"] and line["raised"] == 20
    assert "**" not in table_cheats.markdown(found, "")
    # The mean is over all bills where the cheat has a score, the difference over those of both.
    line = lines.loc[("copy", "fact_f1")]
    assert line["mean"] == pytest.approx(0.32 + 0.49 / 40, abs=1e-4) and line["examples"] == 39


def test_what_one_bill_alone_has_is_no_line():
    """Of two bills, as config/rehearse.yaml has them, one may have a reference without facts."""
    own = frame("test", 0.2, 0.3)[:2]
    own.loc[0, "fact_f1"] = float("nan")
    found = table_cheats.table({"m": own}, {"m": own.assign(cheat="copy")}, "embedded", 200, 0)
    assert set(found["metric"]) == {"rougeLsum", "bertscore"}


def test_the_printed_table_marks_what_is_raised(table):
    text = table_cheats.markdown(table, "Miniature models.")
    (copied,) = [line for line in text.splitlines() if "test " in line and "opening" in line][:1]
    assert "**0.420 ±0.004**, 40" in copied and " 0.021 ±0.005, 0 " in copied
    assert "preset embedded" in text and "Miniature models." in text
