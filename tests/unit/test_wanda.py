"""Wanda: the running mean, the scores, ties and dead inputs."""

import oracles
import pytest
import torch
from oracles import PATTERNS, gather, problem

from sparsesum.base.errors import InputError
from sparsesum.experiment.patterns import parse
from sparsesum.pruning.pruners import wanda


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_as_the_definition(pattern):
    weight, inputs = problem()
    pruned = wanda.sparsify(weight, gather(wanda.accumulate, inputs), pattern)
    expected = oracles.wanda64(
        weight.double().numpy(), [x.double().numpy() for x in inputs], pattern
    )
    assert torch.equal(pruned.double(), torch.from_numpy(expected))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
@pytest.mark.parametrize("seed", range(4))
def test_as_the_reference_where_scores_tie(pattern, seed):
    weight, inputs = problem(columns=64, seed=seed)
    weight = weight.mul(2).round()
    inputs = [x.mul(0.5).round() for x in inputs]
    for x in inputs:
        x[:, 8:16] = 0  # a whole group of four, and of eight, is dead
    pruned = wanda.sparsify(weight, gather(wanda.accumulate, inputs), pattern)
    assert torch.equal(pruned, oracles.wanda32(weight, inputs, pattern))


def test_the_score_weighs_the_weight_with_its_input():
    weight, state = torch.tensor([[1.0, -2.0, 3.0, 4.0]]), torch.tensor([100.0, 4.0, 1.0, 0.0])
    # Scores: 10, 4, 3, 0. Without the root: 100, 8, 3, 0. Without inputs the first would go.
    for text in ("50%", "2:4"):
        assert wanda.sparsify(weight, state, parse(text)).tolist() == [[1, -2, 0, 0]]
    # Here the root matters: scores 3 and 2, without it 3 and 4.
    weight, state = torch.tensor([[3.0, 1.0]]), torch.tensor([1.0, 4.0])
    assert wanda.sparsify(weight, state, parse("50%")).tolist() == [[3, 0]]


def test_each_row_by_itself_and_the_leftmost_of_equals():
    weight = torch.tensor([[1.0, 1.0, 1.0, 1.0, 1.0], [50.0, 40.0, 30.0, 20.0, 10.0]])
    pruned = wanda.sparsify(weight, torch.ones(5), parse("50%"))
    assert pruned.tolist() == [[0, 0, 1, 1, 1], [50, 40, 30, 0, 0]]


def test_dead_inputs_go_first():
    weight, inputs = problem()
    pruned = wanda.sparsify(weight, gather(wanda.accumulate, inputs), parse("30%"))
    assert (pruned[:, 1::4] == 0).all()
    assert torch.equal((pruned == 0).sum(1), torch.full((24,), 9))


def test_all_inputs_dead_still_gives_the_pattern():
    weight, _ = problem()
    dead = torch.zeros(32)
    assert torch.equal(
        (wanda.sparsify(weight, dead, parse("50%")) == 0)[:, :16].sum(1).unique(),
        torch.tensor([16]),
    )
    groups = (wanda.sparsify(weight, dead, parse("2:4")) == 0).unflatten(1, (8, 4)).sum(-1)
    assert (groups == 2).all()


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("text", ["50%", "2:4"])
def test_returns_a_new_tensor_of_the_same_dtype(dtype, text):
    weight, inputs = problem()
    weight, state = weight.to(dtype), gather(wanda.accumulate, inputs)
    kept = weight.clone(), state.clone()
    pruned = wanda.sparsify(weight, state, parse(text))
    assert pruned.dtype == dtype
    assert torch.equal(weight, kept[0]) and torch.equal(state, kept[1])
    assert torch.equal(pruned[pruned != 0], weight[pruned != 0])


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_a_layer_of_one_row(pattern):
    weight, inputs = problem(rows=1)
    pruned = wanda.sparsify(weight, gather(wanda.accumulate, inputs), pattern)
    assert torch.equal(pruned, oracles.wanda32(weight, inputs, pattern))


def test_a_group_that_does_not_divide_the_row_names_the_sizes():
    with pytest.raises(InputError, match="30 inputs cannot be split into groups of 8"):
        wanda.sparsify(torch.ones(2, 30), torch.ones(30), parse("4:8"))
