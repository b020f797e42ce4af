"""Which of a state dict's names are weights of the decoder's Linears."""

import oracles
import pytest

from sparsesum.models import linears
from sparsesum.pruning import layerwise


@pytest.mark.parametrize("shape", ["pre", "post"])
@pytest.mark.parametrize("prefix", ["", "base_model.model."])
def test_they_are_the_six_of_each_layer(shape, prefix):
    state = oracles.make_model(shape, layers=2).state_dict()
    names = linears.weights({f"{prefix}{name}": tensor for name, tensor in state.items()})
    assert sorted(names) == sorted(
        f"{prefix}{oracles.PREFIX}.{layer}.{name}.weight"
        for layer in range(2)
        for name in oracles.NAMES
    )


def test_they_are_found_under_a_bare_name_and_in_the_twelfth_layer():
    assert linears.weights({"layers.11.self_attn.out_proj.weight": None})
    others = ["fc1.weight", "layers.0.fc1.bias", "layers.0.fc3.weight", "layers.0.fc1.weight.scale"]
    others += ["players.0.fc1.weight", "layers.0.final_layer_norm.weight", "lm_head.weight"]
    assert not linears.weights(dict.fromkeys(others))


def test_the_walk_prunes_each_of_them_once():
    pruned = [name for names in layerwise.READERS.values() for name in names]
    assert sorted(pruned) == sorted(linears.LINEARS)
