"""Magnitude pruning: thresholds, groups, ties."""

import oracles
import pytest
import torch
from oracles import PATTERNS

from sparsesum.base.errors import InputError
from sparsesum.experiment.patterns import parse
from sparsesum.pruning.pruners import magnitude


def random_weight(rows=24, columns=32, seed=0):
    return torch.randn(rows, columns, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_as_the_definition(pattern):
    weight = random_weight()
    pruned = magnitude.sparsify(weight, None, pattern)
    expected = oracles.magnitude64(weight.double().numpy(), [], pattern)
    assert torch.equal(pruned.double(), torch.from_numpy(expected))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_as_the_reference_where_weights_tie(pattern):
    weight = random_weight().mul(2).round()
    pruned = magnitude.sparsify(weight, None, pattern)
    assert torch.equal(pruned, oracles.magnitude32(weight, [], pattern))


def test_the_threshold_itself_goes_with_all_its_equals():
    weight = torch.tensor([[1.0, -2.0, 3.0, 4.0]])
    # Sorted: 1 2 3 4; at index 2 stands 3: half of the weights and one more.
    assert magnitude.sparsify(weight, None, parse("50%")).tolist() == [[0, 0, 0, 4]]
    weight = torch.tensor([[3.0, -3.0, 1.0, 3.0], [5.0, 6.0, 7.0, -3.0]])
    assert magnitude.sparsify(weight, None, parse("30%")).tolist() == [[0, 0, 0, 0], [5, 6, 7, 0]]


def test_one_threshold_for_the_whole_matrix():
    weight = torch.tensor([[1.0, 2.0, 3.0], [10.0, 20.0, 30.0]])
    assert magnitude.sparsify(weight, None, parse("40%")).tolist() == [[0, 0, 0], [10, 20, 30]]


def test_groups_are_consecutive_inputs_and_lose_n_of_m():
    weight = torch.tensor([[1.0, -9.0, 2.0, 8.0, 0.1, -0.3, 0.2, 0.4]])
    keep = [[0, -9, 0, 8, 0, -0.3, 0, 0.4]]
    assert torch.equal(magnitude.sparsify(weight, None, parse("2:4")), torch.tensor(keep))
    keep = [[0, -9, 2, 8, 0, -0.3, 0.2, 0.4]]
    assert torch.equal(magnitude.sparsify(weight, None, parse("3:4")), torch.tensor(keep))
    keep = [[1, -9, 2, 8, 0, 0, 0, 0]]
    assert torch.equal(magnitude.sparsify(weight, None, parse("4:8")), torch.tensor(keep))


def test_equal_weights_lose_exactly_n():
    pruned = magnitude.sparsify(torch.ones(3, 8), None, parse("2:4"))
    assert torch.equal((pruned == 0).unflatten(1, (2, 4)).sum(-1), torch.full((3, 2), 2))


@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
@pytest.mark.parametrize("text", ["50%", "2:4"])
def test_returns_a_new_tensor_of_the_same_dtype(dtype, text):
    weight = random_weight().to(dtype)
    before = weight.clone()
    pruned = magnitude.sparsify(weight, None, parse(text))
    assert pruned.dtype == dtype and pruned.shape == weight.shape
    assert torch.equal(weight, before)
    assert torch.equal(pruned[pruned != 0], weight[pruned != 0])


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_a_layer_of_one_row(pattern):
    weight = random_weight(rows=1)
    pruned = magnitude.sparsify(weight, None, pattern)
    assert torch.equal(pruned, oracles.magnitude32(weight, [], pattern))


def test_a_group_that_does_not_divide_the_row_names_the_sizes():
    with pytest.raises(InputError, match="30 inputs cannot be split into groups of 4"):
        magnitude.sparsify(torch.ones(2, 30), None, parse("2:4"))
