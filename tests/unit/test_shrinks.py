"""Shrinking as the grid spells it."""

import pytest

from sparsesum.base.errors import InputError
from sparsesum.experiment import grid, shrinks
from sparsesum.experiment.shrinks import Step


@pytest.mark.parametrize(
    ("text", "name", "first"),
    [
        ("neurons_70%", "neurons_70", Step("neurons", 0.7)),
        ("random_layers_12.5 %", "random_layers_12.5", Step("random_layers", 0.125)),
        (
            "layers_75% + neurons_50%+vocabulary_16384",
            "layers_75+neurons_50+vocabulary_16384",
            Step("layers", 0.75),
        ),
    ],
)
def test_what_is_spelt_is_parsed_and_named(text, name, first):
    steps = shrinks.parse(text)
    assert steps[0] == first
    assert "+".join(step.name for step in steps) == name
    assert [shrinks.named(part) for part in name.split("+")] == steps


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("magic_50%", "unknown kind 'magic'; allowed: layers, neurons, random_layers,"),
        ("neurons_0%", "above 0 % and below 100 %"),
        ("neurons_100%", "above 0 % and below 100 %"),
        ("layers_50", "above 0 % and below 100 %"),
        ("neurons_1e1%", "above 0 % and below 100 %"),
        ("vocabulary_50%", "allowed is the number of tokens, as vocabulary_16384"),
        ("vocabulary_0", "the number of tokens"),
        ("layers_50%+layers_75%", "layers stands there twice"),
        ("layers_50%+", "unknown kind ''"),
        ("../x_50%", "unknown kind '../x'"),
    ],
)
def test_what_is_no_shrinking_is_refused_in_one_line(text, said):
    with pytest.raises(InputError) as error:
        shrinks.parse(text)
    assert said in str(error.value) and "\n" not in str(error.value)


def test_a_row_names_what_is_done_to_its_weights_in_order():
    row = grid.Row("m", "qlora", "wanda", "2:4", "layers_75%+neurons_50%")
    assert row.checkpoint == "layers_75+neurons_50+wanda_2of4"
    assert row.short == "qlora layers_75%+neurons_50% wanda 2:4"
    assert grid.Row("m", "full", "none", "none", "layers_75%").checkpoint == "layers_75"
    assert grid.Row("m", "full", "none", "none").checkpoint == "dense"


def test_a_grid_with_shrunk_rows_has_its_column(tmp_path):
    file = tmp_path / "rows.tsv"
    file.write_text("\t".join(grid.SHRUNK) + "\nm\tfull\tlayers_50%\tnone\tnone\n")
    assert grid.read(file, ["m"], grid.SHRUNK, "compression") == [
        grid.Row("m", "full", "none", "none", "layers_50%")
    ]
    with pytest.raises(InputError, match="line 1: the columns must be model, finetuning, pruner"):
        grid.read(file, ["m"])
    file.write_text(file.read_text() + "m\tfull\tlayers_0%\tnone\tnone\n")
    with pytest.raises(InputError, match=r"rows.tsv, line 3: shrink 'layers_0%': allowed is"):
        grid.read(file, ["m"], grid.SHRUNK, "compression")
