"""Zeros: are they there, are they still there."""

import pytest
import torch

from sparsesum.experiment.patterns import parse
from sparsesum.pruning.checks import check, check_kept, check_untouched

NAME = "model.decoder.layers.0.fc1.weight"


def checkered(rows=4, columns=8):
    """[rows, columns] with zeros at every second input."""
    weight = torch.ones(rows, columns)
    weight[:, ::2] = 0
    return weight


@pytest.mark.parametrize("text", ["50%", "30%", "2:4", "4:8", "3:4"])
def test_check_passes_what_has_the_zeros_or_more(text):
    check({NAME: checkered()}, parse(text))
    check({NAME: torch.zeros(4, 8)}, parse(text))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("50%", f"{NAME}: 15 of 32 weights are zero, fewer than 50 %"),
        ("2:4", f"{NAME}: 1 of 8 groups of 4 have fewer than 2 zeros"),
        ("4:8", f"{NAME}: 1 of 4 groups of 8 have fewer than 4 zeros"),
    ],
)
def test_check_names_the_weight_that_misses_one_zero(text, message):
    weight = checkered()
    weight[2, 4] = 1e-30
    sound = {"model.decoder.layers.1.fc2.weight": checkered()}
    with pytest.raises(ValueError, match=message):
        check({**sound, NAME: weight}, parse(text))


def test_groups_are_along_the_inputs():
    weight = torch.tensor([[0.0, 0, 1, 1, 0, 0, 1, 1]])
    check({NAME: weight}, parse("2:4"))
    shifted = weight.roll(2, 1)  # 1 1 0 0 ...: still two of each four
    check({NAME: shifted}, parse("2:4"))
    with pytest.raises(ValueError, match="groups of 4"):
        check({NAME: torch.tensor([[0.0, 0, 0, 1, 0, 1, 1, 1]])}, parse("2:4"))
    across = torch.tensor([[0.0] * 4, [0.0] * 4, [1.0] * 4, [1.0] * 4])
    check({NAME: across.T}, parse("2:4"))
    with pytest.raises(ValueError, match="2 of 4 groups of 4"):
        check({NAME: across}, parse("2:4"))


def test_unstructured_zeros_may_lie_anywhere_and_rows_round_down():
    weight = torch.ones(4, 10)
    weight[0] = 0
    check({NAME: weight}, parse("25%"))  # int(10 * 0.25) is 2 a row: 8 are asked for, 10 are there
    weight[0, :2] = 1
    check({NAME: weight}, parse("25%"))
    weight[0, 2] = 1
    with pytest.raises(ValueError, match="7 of 40 weights"):
        check({NAME: weight}, parse("25%"))


def test_check_looks_at_nothing_else_but_wants_something_to_look_at():
    check({NAME: checkered(), "lm_head.weight": torch.ones(4, 8)}, parse("2:4"))
    with pytest.raises(ValueError, match="no decoder Linear"):
        check({"lm_head.weight": torch.zeros(4, 8)}, parse("2:4"))


def test_check_kept_counts_the_zeros_of_decoder_linears():
    before = {NAME: checkered(), "lm_head.weight": torch.zeros(4, 8)}
    after = {NAME: checkered() * 3, "lm_head.weight": torch.ones(4, 8)}
    assert check_kept(before, after) == 16
    assert check_kept(before, {NAME: torch.zeros(4, 8)}) == 16  # more zeros are no loss


@pytest.mark.parametrize("dtype", [torch.int8, torch.float16, torch.float32])
def test_check_kept_names_the_weight_whose_zero_was_filled(dtype):
    after = {NAME: (checkered() * 100).to(dtype)}
    assert check_kept({NAME: checkered().half()}, after) == 16
    after[NAME][3, 6] = -1
    with pytest.raises(ValueError, match=f"{NAME}: 1 of 16 zeros were filled"):
        check_kept({NAME: checkered().half()}, after)
    after[NAME][3, 6] = 0
    if dtype.is_floating_point:
        after[NAME][3, 6] = float("nan")
        with pytest.raises(ValueError, match="1 of 16"):
            check_kept({NAME: checkered().half()}, after)


def test_check_kept_wants_the_same_names_and_shapes():
    with pytest.raises(ValueError, match=f"{NAME}: missing"):
        check_kept({NAME: checkered()}, {})
    with pytest.raises(ValueError, match=r"fc1.weight: shape \(4, 8\) became \(8, 4\)"):
        check_kept({NAME: checkered()}, {NAME: checkered(8, 4)})


def test_check_untouched_lets_decoder_linears_change_and_nothing_else():
    before = {NAME: torch.ones(2, 4), "norm.weight": torch.tensor([0.0, 1.0])}
    check_untouched(before, before | {NAME: checkered(2, 4)})
    for other in (torch.tensor([-0.0, 1.0]), torch.tensor([0.0, 1.0000001])):
        with pytest.raises(ValueError, match="norm.weight: changed"):
            check_untouched(before, before | {"norm.weight": other})
    with pytest.raises(ValueError, match="norm.weight: dtype or shape changed"):
        check_untouched(before, before | {"norm.weight": torch.zeros(3)})
    with pytest.raises(ValueError, match="norm.weight: in one of the two alone"):
        check_untouched(before, {NAME: before[NAME]})
