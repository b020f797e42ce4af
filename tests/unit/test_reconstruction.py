"""Reconstruction errors, on both OPT shapes, against a literal walk in float64."""

import copy

import numpy as np
import oracles
import pytest
import torch
from oracles import NAMES, PREFIX

from sparsesum.base.errors import InputError
from sparsesum.models import checkpoints
from sparsesum.pruning import layerwise
from sparsesum.pruning.reconstruction import errors

LAYERS = 3


def halved(model, layers=range(LAYERS), seed=5):
    """A copy with about half of its Linears' weights 0, at random, in some layers."""
    pruned = copy.deepcopy(model)
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for index in layers:
            for name in NAMES:
                weight = pruned.get_submodule(f"{PREFIX}.{index}.{name}").weight
                weight.mul_(torch.rand(weight.shape, generator=generator) > 0.5)
    return pruned


def measured(tmp_path, model, pruned, sequences):
    """The records of `errors` for two models in memory."""
    checkpoints.save(model, tmp_path / "dense")
    checkpoints.save(pruned, tmp_path / "pruned")
    file = tmp_path / "pruned" / "model.safetensors"
    scratch = tmp_path / "scratch"
    try:
        return errors(tmp_path / "dense", file, sequences, scratch)
    finally:
        assert not scratch.exists()


def by_linear(records):
    return {(record["layer"], record["linear"]): record["error"] for record in records}


def expected(model, pruned, sequences, inputs_from_pruned=True):
    """||X W^T - X W'^T|| / ||X W^T|| from the outputs themselves, in float64."""
    dense, other = oracles.Opt64(model), oracles.Opt64(pruned)
    hidden = [dense.embed(ids) for ids in sequences.numpy()]
    found = {}
    for index in range(LAYERS):
        seen = [dense.layer(index, x)[1] for x in hidden]
        for name in NAMES:
            x = np.concatenate([each[name] for each in seen])
            weight, kept = (each.w[f"{PREFIX}.{index}.{name}.weight"] for each in (dense, other))
            lost = np.linalg.norm(x @ weight.T - x @ kept.T)
            found[index, name] = lost / np.linalg.norm(x @ weight.T)
        follow = other if inputs_from_pruned else dense
        hidden = [follow.layer(index, x)[0] for x in hidden]
    return found


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_as_the_definition_in_float64(shape, tmp_path, monkeypatch):
    monkeypatch.setitem(
        layerwise.TOKENS, "cpu", 3 * 24
    )  # batches of three, three and two sequences
    model, sequences = oracles.make_model(shape), oracles.make_sequences()
    pruned = halved(model)
    records = measured(tmp_path, model, pruned, sequences)
    assert [(record["layer"], record["linear"]) for record in records] == [
        (index, name) for index in range(LAYERS) for name in NAMES
    ]
    wanted = expected(model, pruned, sequences)
    found = by_linear(records)
    assert found == pytest.approx(wanted, rel=1e-4)
    assert all(0.1 < error < 2 for error in found.values())
    # The oracle tells inputs of the pruned layers before from those of dense ones.
    other = expected(model, pruned, sequences, inputs_from_pruned=False)
    assert found != pytest.approx(other, rel=1e-2)
    for record in records:
        weight = pruned.get_submodule(f"{PREFIX}.{record['layer']}.{record['linear']}").weight
        assert record["weights"] == weight.numel()
        assert record["zeros"] == int((weight == 0).sum()) > 0.3 * weight.numel()


def test_an_unpruned_model_has_none(tmp_path):
    model = oracles.make_model("pre")
    records = measured(tmp_path, model, model, oracles.make_sequences())
    assert len(records) == LAYERS * len(NAMES)
    assert {record["error"] for record in records} == {0.0}
    assert {record["zeros"] for record in records} == {0}


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_an_error_is_that_of_its_own_layer(shape, tmp_path):
    model = oracles.make_model(shape)
    found = by_linear(measured(tmp_path, model, halved(model, [1]), oracles.make_sequences()))
    assert {index for (index, _), error in found.items() if error} == {1}
    assert all(found[1, name] for name in NAMES)


def test_fc2_is_compared_on_what_the_dense_fc1_makes(tmp_path):
    model = oracles.make_model("pre")
    pruned = copy.deepcopy(model)
    with torch.no_grad():
        pruned.get_submodule(f"{PREFIX}.0.fc1").weight.zero_()
    found = by_linear(measured(tmp_path, model, pruned, oracles.make_sequences()))
    assert found[0, "fc1"] == pytest.approx(1)
    assert found[0, "fc2"] == 0


def test_a_linear_without_output_is_left_out_of_no_mean(tmp_path):
    """Its outputs are 0, and stay so: no error, and no division by 0."""
    model = oracles.make_model("pre")
    with torch.no_grad():
        model.get_submodule(f"{PREFIX}.1.fc1").bias.fill_(-100)  # nothing reaches fc2
    found = by_linear(measured(tmp_path, model, halved(model), oracles.make_sequences()))
    assert found[1, "fc2"] == 0
    assert found[2, "fc2"] > 0


def test_inputs_that_are_not_finite_are_refused(tmp_path):
    model = oracles.make_model("pre")
    with torch.no_grad():
        model.get_submodule(f"{PREFIX}.1.fc1").bias[2] = float("inf")
    with pytest.raises(InputError, match=rf"{PREFIX}\.1\.fc2: .*NaN, infinite"):
        measured(tmp_path, model, halved(model), oracles.make_sequences())


def test_says_how_far_it_is(tmp_path):
    model, told = oracles.make_model("pre"), []
    checkpoints.save(model, tmp_path / "dense")
    errors(
        tmp_path / "dense",
        tmp_path / "dense" / "model.safetensors",
        oracles.make_sequences(),
        tmp_path / "scratch",
        report=lambda *args: told.append(args),
    )
    assert told == [(i + 1, f"0.000 in fc2 of layer {i}") for i in range(LAYERS)]


def test_what_a_killed_job_left_is_not_gone_on_from(tmp_path):
    model, sequences = oracles.make_model("pre"), oracles.make_sequences()
    pruned = halved(model)
    whole = measured(tmp_path, model, pruned, sequences)
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    (scratch / "1.f32").write_bytes(bytes(4 * sequences.numel() * 16))
    assert measured(tmp_path, model, pruned, sequences) == whole
