"""The grid: its rows, their names, and the faults a user makes in it."""

from pathlib import Path

import pytest

from sparsesum.base.errors import InputError
from sparsesum.experiment import grid

HEADER = "model\tfinetuning\tpruner\tsparsity\n"
SHIPPED = Path(__file__).resolve().parents[2] / "config" / "grid.tsv"
MODELS = ["opt-125m-mini", "opt-350m-mini"]


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "grid.tsv"
    path.write_text(text)
    return path


def test_the_shipped_grid_has_the_papers_rows_in_its_order():
    rows = grid.read(SHIPPED, MODELS)
    small, large = rows[:8], rows[8:]
    assert [row.checkpoint for row in small] == (
        ["dense"] * 3 + ["wanda_50", "wanda_4of8", "wanda_2of4", "magnitude_2of4", "sparsegpt_2of4"]
    )
    assert [row.checkpoint for row in large] == (
        ["dense"] * 3 + ["wanda_2of4", "magnitude_2of4", "sparsegpt_2of4"]
    )
    for part, model in ((small, MODELS[0]), (large, MODELS[1])):
        assert {row.model for row in part} == {model}
        tuned = [row.finetuning for row in part]
        assert tuned == ["base", "full"] + ["qlora"] * (len(part) - 2)


def test_a_row_knows_its_path(tmp_path: Path):
    (row,) = grid.read(written(tmp_path, HEADER + "m\tqlora\twanda\t4:8\n"), ["m"])
    assert row.path == "m/wanda_4of8/qlora"


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("m\tqlora\tmagic\t50%", "unknown pruner 'magic'; allowed: none, magnitude, "),
        ("x\tqlora\twanda\t50%", "unknown model 'x'; allowed: m"),
        ("m\tlora\twanda\t50%", "unknown finetuning 'lora'; allowed: base, full, qlora"),
        ("m\tqlora\twanda\t3:2", "sparsity '3:2' is no pattern: allowed is"),
        ("m\tqlora\twanda\t140 %", "sparsity '140 %' is no pattern"),
        ("m\tqlora\twanda\tnone", "pruner 'wanda' with sparsity 'none'; a pruned row has both"),
        ("m\tqlora\tnone\t2:4", "pruner 'none' with sparsity '2:4'; a pruned row has both"),
        ("m\tqlora\twanda", "3 cells where there must be 4"),
        ("m\tbase\tnone\tnone", "the same row as line 2"),
    ],
)
def test_a_fault_is_named_with_its_line(tmp_path: Path, line: str, said: str):
    path = written(tmp_path, f"{HEADER}m\tbase\tnone\tnone\n{line}\n")
    with pytest.raises(InputError) as caught:
        grid.read(path, ["m"])
    assert str(caught.value).startswith(f"{path}, line 3: {said}")


def test_the_same_pattern_in_other_words_is_the_same_row(tmp_path: Path):
    path = written(tmp_path, f"{HEADER}m\tqlora\twanda\t50%\nm\tqlora\twanda\t50.0 %\n")
    with pytest.raises(InputError, match="line 3: the same row as line 2"):
        grid.read(path, ["m"])


@pytest.mark.parametrize(
    ("text", "said"),
    [("", "columns must be"), ("a\tb\n", "columns must be"), (HEADER, "no rows")],
)
def test_a_file_that_is_no_grid(tmp_path: Path, text: str, said: str):
    with pytest.raises(InputError, match=said):
        grid.read(written(tmp_path, text), ["m"])


def test_a_grid_that_is_not_there(tmp_path: Path):
    with pytest.raises(InputError, match="no such file"):
        grid.read(tmp_path / "none.tsv", ["m"])


def test_the_pruning_grid_is_each_model_unpruned_and_then_all_pairs():
    rows = grid.crossed(["m", "n"], "qlora", ["wanda", "magnitude"], ["50%", "2:4"])
    assert [row.path for row in rows] == [
        f"{model}/{checkpoint}/qlora"
        for model in ("m", "n")
        for checkpoint in ("dense", "wanda_50", "wanda_2of4", "magnitude_50", "magnitude_2of4")
    ]


@pytest.mark.parametrize(
    ("names", "sparsities", "said"),
    [
        (
            ["wanda", "magic"],
            ["2:4"],
            "key 'pruning_grid.pruners': unknown pruner 'magic'; allowed: magnitude, ",
        ),
        (["none"], ["2:4"], "key 'pruning_grid.pruners': unknown pruner 'none'; allowed: "),
        (
            ["wanda"],
            ["50%", "3:2"],
            "key 'pruning_grid.sparsities': sparsity '3:2' is no pattern: allowed is a share",
        ),
        (["wanda"], ["50%", "50.0 %"], "key 'pruning_grid': wanda_50 stands there twice"),
        (["wanda", "wanda"], ["2:4"], "key 'pruning_grid': wanda_2of4 stands there twice"),
    ],
)
def test_a_fault_in_the_pruning_grid_is_named_with_its_key(names, sparsities, said):
    with pytest.raises(InputError) as caught:
        grid.crossed(["m"], "base", names, sparsities)
    assert str(caught.value).startswith(said) and "\n" not in str(caught.value)


def test_names():
    assert grid.Row("opt", "base", "none", "none").name == "opt base"
    assert grid.Row("opt", "qlora", "wanda", "2:4").name == "opt qlora wanda 2:4"


@pytest.mark.parametrize("end", ["\r\n", " \n", "\t\n"], ids=["CRLF", "blanks", "tab"])
def test_what_editors_and_spreadsheets_leave_at_lines_ends(tmp_path: Path, end):
    rows = [
        "model\tfinetuning\tpruner\tsparsity",
        "m\tbase\tnone\tnone",
        "",
        "m\tqlora\twanda\t2:4",
    ]
    (tmp_path / "grid.tsv").write_text(end.join([*rows, " ", ""]), newline="")
    found = grid.read(tmp_path / "grid.tsv", ["m"])
    assert [row.name for row in found] == ["m base", "m qlora wanda 2:4"]
