"""Zeros: which weights are meant, are they there, are they still there."""

import oracles
import pytest
import torch

from sparsesum.errors import InputError
from sparsesum.patterns import parse
from sparsesum.sparsity import (
    check,
    check_kept,
    check_untouched,
    decoder_linears,
    grouped,
    lowest,
    lowest_of_rows,
)

NAME = "model.decoder.layers.0.fc1.weight"


def checkered(rows=4, columns=8):
    """[rows, columns] with zeros at every second input."""
    weight = torch.ones(rows, columns)
    weight[:, ::2] = 0
    return weight


@pytest.mark.parametrize("shape", ["pre", "post"])
@pytest.mark.parametrize("prefix", ["", "base_model.model."])
def test_decoder_linears_are_the_six_of_each_layer(shape, prefix):
    state = oracles.make_model(shape, layers=2).state_dict()
    names = decoder_linears({f"{prefix}{name}": tensor for name, tensor in state.items()})
    assert sorted(names) == sorted(
        f"{prefix}{oracles.PREFIX}.{layer}.{name}.weight"
        for layer in range(2)
        for name in oracles.NAMES
    )


def test_decoder_linears_are_found_under_a_bare_name_and_in_the_twelfth_layer():
    assert decoder_linears({"layers.11.self_attn.out_proj.weight": None})
    others = ["fc1.weight", "layers.0.fc1.bias", "layers.0.fc3.weight", "layers.0.fc1.weight.scale"]
    others += ["players.0.fc1.weight", "layers.0.final_layer_norm.weight", "lm_head.weight"]
    assert not decoder_linears(dict.fromkeys(others))


def test_grouped_and_lowest():
    scores = torch.tensor([[4.0, 1.0, 3.0, 2.0, 5.0, 6.0, 8.0, 7.0]])
    assert grouped(scores, 4).tolist() == [[[4, 1, 3, 2], [5, 6, 8, 7]]]
    assert lowest(scores, 1, 4).nonzero()[:, 1].tolist() == [1, 4]
    assert lowest(scores, 2, 4).nonzero()[:, 1].tolist() == [1, 3, 4, 5]
    assert lowest(scores, 2, 8).nonzero()[:, 1].tolist() == [1, 3]
    with pytest.raises(InputError, match="8 inputs cannot be split into groups of 3"):
        grouped(scores, 3)


@pytest.mark.parametrize("text", ["50%", "30%", "2:4", "4:8", "1:4"])
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


@pytest.mark.parametrize("count", [0, 1, 5, 15, 16])
def test_lowest_of_rows_is_what_a_stable_sort_says(count):
    scores = torch.randn(12, 16, generator=torch.Generator().manual_seed(count))
    scores[3:6] = scores[3:6].round()  # ties in some rows, here and there at the threshold
    scores[7] = 0
    order = scores.sort(dim=1, stable=True).indices[:, :count]
    expected = torch.zeros(12, 16, dtype=torch.bool).scatter_(1, order, True)
    assert torch.equal(lowest_of_rows(scores, count), expected)


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
