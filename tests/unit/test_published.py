"""Which rows of a grid the published table is about."""

from pathlib import Path

import pytest

from sparsesum.base.errors import InputError
from sparsesum.experiment import published_table
from sparsesum.experiment.grid import Row

PAPER = Path(__file__).resolve().parents[2] / "resources" / "paper"
ROWS = [
    Row("mine", "qlora", "wanda", "2:4"),
    Row("opt-125m", "base", "none", "none"),
    Row("mine", "full", "wanda", "2:4"),
]


@pytest.fixture(scope="module")
def lines() -> list[dict]:
    return published_table.read(PAPER / "table3.csv")


def test_rows_that_were_published_by_their_own_name(lines):
    assert published_table.repeated(lines, ROWS) == {ROWS[1]: lines[0]}
    assert published_table.repeated(lines, ROWS[:1]) == {}
    assert published_table.repeated([], ROWS) == {}


def test_rows_of_a_model_that_stands_for_a_published_one(lines):
    found = published_table.counterparts(lines, ROWS, {"mine": "opt-350m", "opt-125m": None})
    # mine, full, Wanda 2:4: no such row of opt-350m was published.
    assert list(found) == [ROWS[0], ROWS[1]]
    assert found[ROWS[0]]["model"] == "opt-350m" and found[ROWS[0]]["test_rouge"] == "0.2129"


def test_a_model_that_was_not_published_is_refused_where_a_row_needs_it(lines):
    said = "key 'models.mine.stands_for': 'opt-1.3b' was not published; allowed: null, opt-125m, o"
    with pytest.raises(InputError, match=said):
        published_table.counterparts(lines, ROWS, {"mine": "opt-1.3b"})
    assert published_table.counterparts(lines, ROWS, {"other": "opt-1.3b"})


def test_a_folder_without_a_table_is_named(tmp_path: Path):
    with pytest.raises(InputError, match=r"key 'published': no file .*table3.csv; allowed is null"):
        published_table.read(tmp_path / "table3.csv")
