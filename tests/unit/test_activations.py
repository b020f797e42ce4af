"""Squared norms and Hessians: what they are, and that batches and order do not matter much."""

import pytest
import torch
from oracles import gather

from sparsesum.pruning import activations

SOME = [torch.tensor([[1.0, 2.0], [3.0, 0.0]]), torch.tensor([[5.0, 0.0], [0.0, 1.0]])]


@pytest.mark.parametrize("exact", [True, False])
def test_squared_norms_are_a_mean_over_sequences_of_sums_over_tokens(exact):
    norms = activations.squared_norms
    one, two = SOME
    assert gather(norms, [one], exact).tolist() == pytest.approx([10, 4])
    assert gather(norms, [one, two], exact).tolist() == pytest.approx([(10 + 25) / 2, 5 / 2])
    assert gather(norms, [one, two, two], exact).tolist() == pytest.approx([(10 + 50) / 3, 2])


@pytest.mark.parametrize("exact", [True, False])
def test_the_hessian_is_twice_the_mean_of_the_sequences_products(exact):
    one, two = SOME
    for given, expected in (
        ([one], [[20.0, 4], [4, 8]]),
        ([one, two], [[35.0, 2], [2, 5]]),
        ([two, one, two], [[40.0, 4 / 3], [4 / 3, 4]]),
    ):
        found = gather(activations.hessian, given, exact)
        torch.testing.assert_close(found, torch.tensor(expected))


@pytest.mark.parametrize("statistic", [activations.squared_norms, activations.hessian])
def test_several_sequences_at_once_are_the_same_but_for_rounding(statistic):
    inputs = torch.randn(7, 20, 300, generator=torch.Generator().manual_seed(0))
    state = statistic(None, inputs[:3], 0, False)
    state = statistic(state, inputs[3:], 3, False)
    torch.testing.assert_close(state, gather(statistic, inputs), rtol=1e-4, atol=1e-4)
    assert state.dtype == torch.float32


@pytest.mark.parametrize("statistic", [activations.squared_norms, activations.hessian])
@pytest.mark.parametrize("exact", [True, False])
def test_inputs_are_left_alone(statistic, exact):
    inputs = torch.randn(1, 5, 3)
    kept = inputs.clone()
    statistic(statistic(None, inputs, 0, exact), inputs, 1, exact)
    assert torch.equal(inputs, kept)


def test_the_exact_norms_are_the_references_to_the_last_bit():
    inputs = [x * 0.37 for x in torch.randn(9, 33, 65, generator=torch.Generator().manual_seed(2))]
    state = torch.zeros(65)
    for seen, x in enumerate(inputs):
        state *= seen / (seen + 1)
        state += torch.norm(x.t(), p=2, dim=1) ** 2 / (seen + 1)
    assert torch.equal(gather(activations.squared_norms, inputs), state)
