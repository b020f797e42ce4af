"""Scores of examples, read from one file or from several of the same examples."""

from pathlib import Path

import pandas
import pytest

from sparsesum import examples
from sparsesum.errors import InputError


@pytest.fixture
def scored(tmp_path: Path) -> Path:
    path = tmp_path / "qlora.csv"
    path.write_text(
        "split,id,rougeLsum,blank,cut_off\nvalidation,1,0.25,False,True\ntest,01,0,True,False\n"
    )
    return path


def test_scores_are_numbers_and_ids_are_texts(scored):
    found = examples.read(scored)
    assert list(found.columns) == ["split", "id", "rougeLsum", "blank", "cut_off"]
    assert list(found["id"]) == ["1", "01"]
    assert found.iloc[0, 2:].tolist() == [0.25, 0.0, 1.0]
    assert set(map(str, found.dtypes[2:])) == {"float64"}


def test_several_files_are_one_table(scored, tmp_path):
    (tmp_path / "more.csv").write_text("split,id,fact_f1\nvalidation,1,0.5\ntest,01,\n")
    found = examples.read(scored, tmp_path / "more.csv")
    assert list(found.columns)[2:] == ["rougeLsum", "blank", "cut_off", "fact_f1"]
    assert found["fact_f1"][0] == 0.5 and pandas.isna(found["fact_f1"][1])


@pytest.mark.parametrize("lines", ["test,01,1\nvalidation,1,1\n", "validation,1,1\n"])
def test_files_of_other_examples_are_refused(scored, tmp_path, lines):
    (tmp_path / "more.csv").write_text("split,id,fact_f1\n" + lines)
    with pytest.raises(InputError, match="more.csv: not the examples of .*qlora.csv; delete both"):
        examples.read(scored, tmp_path / "more.csv")
