"""Tables read back: what is a name stays one."""

from pathlib import Path

import pandas
import pytest

from sparsesum.base import frames

NAMES = ["NA", "None", "null", "nan", "007", "1e5", "True", "opt-125m"]
SCRIPTS = Path(__file__).resolve().parents[2] / "workflow" / "scripts"


@pytest.mark.parametrize("names", [NAMES, ["007", "1"], ["NA"]], ids=["all", "numbers", "missing"])
def test_a_models_name_is_no_number_and_not_missing(tmp_path: Path, names):
    """pandas takes NA for no value and 007 for 7: a plot's row would have lost its name."""
    table = pandas.DataFrame({"model": names, "preset": "2026", "test_rouge": 0.5, "other": ""})
    table.loc[0, "test_rouge"] = None
    table.to_csv(tmp_path / "t.csv", index=False)
    found = frames.read(tmp_path / "t.csv")
    assert list(found["model"]) == names and set(found["preset"]) == {"2026"}
    assert found["test_rouge"].isna().sum() == 1 and found["test_rouge"].dtype == float
    assert found["other"].isna().all()


@pytest.mark.parametrize(
    "name", "heat_map quality_size quality_time plot_pruning published table_costs".split()
)
def test_who_draws_the_grid_reads_it_so(name):
    assert "pandas.read_csv" not in (SCRIPTS / f"{name}.py").read_text("utf-8")
