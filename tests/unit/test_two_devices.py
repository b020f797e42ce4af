"""Nothing meets a tensor of another device: with a GPU that there is not (`two_devices`).

Each function runs there and here, and gives the same. A CPU tensor among the GPU's raises.
"""

import oracles
import pytest
import torch
from safetensors.torch import save_file
from two_devices import on_gpu, random

from sparsesum.experiment import patterns
from sparsesum.models import checkpoints
from sparsesum.models.tensorfile import TensorFile
from sparsesum.pruning import activations, checks, layerwise, masks, products, reconstruction
from sparsesum.pruning.pruners import magnitude, ria, sparsegpt, wanda

pytestmark = pytest.mark.slow

CPU = torch.device("cpu")
PRUNERS = {"magnitude": magnitude, "wanda": wanda, "ria": ria, "sparsegpt": sparsegpt}
NAME = "model.decoder.layers.0.fc1.weight"


# The GPU itself.

MIXED = {
    "a sum": lambda here, there: here + there,
    "a number of the GPU": lambda here, there: here * there.sum(),
    "a product": lambda here, there: there @ here.t(),
    "a comparison": torch.equal,
    "a mask": lambda here, there: there.masked_fill(here > 0, 0),
    "a condition": lambda here, there: torch.where(here > 0, there, there),
    "in place": lambda here, there: there.mul_(here),
    "side by side": lambda here, there: torch.cat([here, there]),
    "an output": lambda here, there: torch.div(there, 2, out=here),
    "indices of the GPU": lambda here, there: here[(there > 0).nonzero()[:, 0]],
    "a value under a mask": lambda here, there: there.__setitem__(there > 0, here[0]),
    "a layer": lambda here, there: torch.nn.Linear(4, 2)(there),
    "a generator": lambda here, there: there.normal_(generator=torch.Generator()),
    "another generator": lambda here, there: torch.rand(
        2, generator=torch.Generator(), device=there.device
    ),
}


@pytest.mark.parametrize("mixed", MIXED)
def test_two_devices_do_not_meet(mixed, device):
    here = random(3, 4)
    there = here.to(device)
    assert there.device == device and there.is_cuda and here.device == CPU
    with pytest.raises(RuntimeError, match="same device|generator of the tensor's device"):
        MIXED[mixed](here, there)
    with pytest.raises(TypeError, match="to numpy"):
        there.numpy()


def test_what_torch_allows_is_allowed(device):
    here = random(3, 4)
    there = here.to(device)
    assert on_gpu(there * here.sum())
    assert on_gpu(there[torch.tensor([2, 0])]) and on_gpu(there[0]) and on_gpu(there.new_zeros(1))
    there[1] = here[0]
    assert torch.equal(there.cpu(), here[[0, 0, 2]]) and not on_gpu(there.cpu())
    assert torch.equal(here, random(3, 4))
    assert here.copy_(there).device == CPU
    linear = torch.nn.Linear(4, 2).to(device)
    assert linear(there).device == device and linear.weight.device == device
    assert linear.cpu().weight.device == CPU


def test_a_graph_is_replayed_and_looks_at_nothing(device):
    value, graph = torch.ones(2, device=device), torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        doubled = value * 2
        value += doubled[0]
    assert value.tolist() == [1, 1]  # capturing computes nothing
    for expected in ([3, 3], [9, 9]):
        graph.replay()
        assert value.tolist() == expected
    assert doubled.tolist() == [6, 6]
    for look in (torch.Tensor.tolist, torch.Tensor.cpu, lambda tensor: bool(tensor[0])):
        with pytest.raises(RuntimeError, match="capturing"), torch.cuda.graph(graph):
            look(value)


# Pruning.


def pruned(device, pruner, pattern, exact):
    """A weight pruned after two batches; it has ties, and inputs that are always zero."""
    weight = random(20, 320).to(device)
    weight[:, :160] = weight[:, :160].round()
    inputs = random(4, 90, 320, seed=1).to(device)
    inputs[..., 9] = 0
    state = None
    if hasattr(pruner, "accumulate"):
        for seen in range(4) if exact else (0, 2):
            batch = inputs[seen : seen + (1 if exact else 2)]
            state = pruner.accumulate(state, batch, seen, exact)
    if hasattr(pruner, "prepare"):
        state = pruner.prepare(state, exact)
    return pruner.sparsify(weight, state, pattern)


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
@pytest.mark.parametrize("pattern", ["50%", "2:4"])
@pytest.mark.parametrize("name", PRUNERS)
def test_a_pruner(name, pattern, exact, device):
    there, here = (
        pruned(where, PRUNERS[name], patterns.parse(pattern), exact) for where in (device, CPU)
    )
    assert there.device == device
    assert (here == 0).double().mean() >= 0.45
    torch.testing.assert_close(there.cpu(), here, rtol=1e-3, atol=1e-4)


MASKS = {
    "of groups": lambda scores: masks.lowest(scores, 2, 4),
    "up to a threshold": lambda scores: masks.up_to_threshold(scores, 0.5),
    "of rows": lambda scores: masks.lowest_of_rows(scores, 13),
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_scores_with_ties(kind, device):
    scores = random(20, 40).round()
    found = MASKS[kind](scores.to(device))
    assert found.device == device and torch.equal(found.cpu(), MASKS[kind](scores))


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
@pytest.mark.parametrize("function", [activations.squared_norms, activations.hessian])
def test_a_statistic(function, exact, device):
    batches = [random(1, 30, 12, seed=seed) for seed in range(3)]
    there = here = None
    for seen, batch in enumerate(batches):
        there = function(there, batch.to(device), seen, exact)
        here = function(here, batch, seen, exact)
    assert there.device == device
    torch.testing.assert_close(there.cpu(), here, rtol=1e-4, atol=1e-4)


def test_products(device):
    inputs, weight, bias = random(2, 7, 16), random(6, 16), random(6)
    found = products.linear(inputs.to(device), weight.to(device), bias.to(device))
    assert found.device == device
    torch.testing.assert_close(found.cpu(), products.linear(inputs, weight, bias))


def walked(folder, device, name, exact=False, **more):
    sequences = oracles.make_sequences(4)
    layerwise.prune(
        folder.parent / "dense",
        folder,
        sequences,
        PRUNERS[name],
        patterns.parse("2:4"),
        {},
        exact,
        device,
        **more,
    )
    return checkpoints.state(folder)


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
@pytest.mark.parametrize(
    ("shape", "name"), [("pre", "wanda"), ("post", "sparsegpt"), ("post", "magnitude")]
)
def test_a_walk(shape, name, exact, device, tmp_path):
    checkpoints.save(oracles.make_model(shape), tmp_path / "dense")
    there = walked(tmp_path / "there", device, name, exact)
    here = walked(tmp_path / "here", CPU, name, exact)
    checks.check(there, patterns.parse("2:4"))
    for key, tensor in here.items():
        torch.testing.assert_close(there[key], tensor, rtol=1e-3, atol=1e-4)


def test_a_walk_that_was_broken_off(device, tmp_path):
    checkpoints.save(oracles.make_model("pre"), tmp_path / "dense")
    whole = walked(tmp_path / "whole", device, "wanda")

    def broken(done, text):
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        walked(tmp_path / "broken", device, "wanda", report=broken)
    again = walked(tmp_path / "broken", device, "wanda")
    assert all(torch.equal(again[key], tensor) for key, tensor in whole.items())


def test_reconstruction_errors(device, tmp_path):
    checkpoints.save(oracles.make_model("post"), tmp_path / "dense")
    walked(tmp_path / "pruned", CPU, "magnitude")
    file = tmp_path / "pruned" / "model.safetensors"
    there, here = (
        reconstruction.errors(
            tmp_path / "dense", file, oracles.make_sequences(4), tmp_path / "scratch", where
        )
        for where in (device, CPU)
    )
    assert [row["error"] for row in there] == pytest.approx([row["error"] for row in here], 1e-4)
    assert all(row["error"] > 0.1 for row in there)


def test_a_tensor_of_the_gpu_is_written(device, tmp_path):
    save_file({"a": torch.zeros(3, 4)}, tmp_path / "file")
    TensorFile(tmp_path / "file")["a"] = random(4, 3).to(device).t()
    assert torch.equal(TensorFile(tmp_path / "file")["a"], random(4, 3).t())


# Checks of zeros.


def both_ways(device, here):
    """A state here and one there, either before the other."""
    there = {name: tensor.to(device) for name, tensor in here.items()}
    return [(here, there), (there, here), (there, there)]


def test_the_zeros_of_a_state(device):
    weight = random(4, 8)
    for text in ("2:4", "50%"):
        pattern = patterns.parse(text)
        with pytest.raises(ValueError, match="fewer than"):
            checks.check({NAME: weight.to(device)}, pattern)
        checks.check({NAME: magnitude.sparsify(weight, None, pattern).to(device)}, pattern)


def test_zeros_that_were_kept(device):
    weight = random(4, 8).masked_fill(random(4, 8, seed=1) > 0, 0)
    zeros = int((weight == 0).sum())
    for before, after in both_ways(device, {NAME: weight}):
        assert checks.check_kept(before, after) == zeros
        codes = {NAME: after[NAME].sign().to(torch.int8)}
        assert checks.check_kept(before, codes) == zeros
        filled = {NAME: after[NAME] + 1}
        with pytest.raises(ValueError, match=f"{zeros} of {zeros} zeros were filled"):
            checks.check_kept(before, filled)


def test_what_pruning_left_alone(device):
    # A number alone, and a view across its memory: neither can be seen as bytes as it is.
    state = {NAME: random(4, 8), "norm": random(3), "one": torch.tensor(2.0), "t": random(3, 2).t()}
    for before, after in both_ways(device, state):
        checks.check_untouched(before, after)
        checks.check_untouched(before, after | {NAME: after[NAME] * 2})
        for name in ("norm", "one", "t"):
            with pytest.raises(ValueError, match=f"^{name}: changed"):
                checks.check_untouched(before, after | {name: after[name] * 2})
