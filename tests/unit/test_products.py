"""Products by oneDNN are torch's, but for rounding, at any shape."""

import pytest
import torch
from torch.nn.functional import linear

from sparsesum.pruning import products


@pytest.mark.parametrize("bias", [True, False])
@pytest.mark.parametrize("shape", [(1, 1), (3, 5), (2, 7, 16), (4, 100, 33), (2048, 64)])
@pytest.mark.parametrize("rows", [1, 6, 128])
def test_linear(shape, rows, bias):
    generator = torch.Generator().manual_seed(0)
    inputs = torch.randn(shape, generator=generator)
    weight = torch.randn(rows, shape[-1], generator=generator)
    shift = torch.randn(rows, generator=generator) if bias else None
    found = products.linear(inputs, weight, shift)
    torch.testing.assert_close(found, linear(inputs, weight, shift), rtol=1e-4, atol=1e-4)
    assert found.is_contiguous()


def test_a_layer_of_its_own_kind():
    layer = products.Linear(5, 3)
    inputs = torch.randn(2, 4, 5)
    torch.testing.assert_close(layer(inputs), linear(inputs, layer.weight, layer.bias))


@pytest.mark.parametrize("features", [1, 5, 256, 257, 600])
@pytest.mark.parametrize("tokens", [1, 40])
def test_add_gram(tokens, features):
    generator = torch.Generator().manual_seed(1)
    inputs = torch.randn(tokens, features, generator=generator)
    state = torch.randn(features, features, generator=generator)
    state += state.T.clone()
    expected = 0.25 * state + 3 * inputs.T @ inputs
    products.add_gram(state, inputs, 3, 0.25)
    torch.testing.assert_close(state, expected, rtol=1e-4, atol=1e-4)
    torch.testing.assert_close(state, state.T)
