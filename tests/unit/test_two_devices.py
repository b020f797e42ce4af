"""Nothing meets a tensor of another device: with a GPU that there is not (`two_devices`).

Each function runs there and here, and gives the same. A CPU tensor among the GPU's raises.
"""

import copy
import json

import oracles
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from test_finetuning import SETTINGS
from two_devices import gpu, on_gpu

from sparsesum import (
    checkpoints,
    costs,
    full,
    generation,
    layerwise,
    likelihood,
    patterns,
    products,
    qlora,
    quantisation,
    reconstruction,
    sparsity,
    statistics,
    training,
)
from sparsesum.encoder import minilm_folder
from sparsesum.pruners import magnitude, ria, sparsegpt, wanda
from sparsesum.scores import modules
from sparsesum.tensorfile import TensorFile

CPU = torch.device("cpu")
PRUNERS = {"magnitude": magnitude, "wanda": wanda, "ria": ria, "sparsegpt": sparsegpt}
NAME = "model.decoder.layers.0.fc1.weight"


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


@pytest.fixture
def device():
    with gpu() as found:
        yield found


# The GPU itself.

MIXED = {
    "a sum": lambda here, there: here + there,
    "a number of the GPU": lambda here, there: here * there.sum(),
    "a product": lambda here, there: there @ here.t(),
    "a comparison": lambda here, there: torch.equal(here, there),
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
    "of groups": lambda scores: sparsity.lowest(scores, 2, 4),
    "up to a threshold": lambda scores: sparsity.up_to_threshold(scores, 0.5),
    "of rows": lambda scores: sparsity.lowest_of_rows(scores, 13),
}


@pytest.mark.parametrize("kind", MASKS)
def test_a_mask_of_scores_with_ties(kind, device):
    scores = random(20, 40).round()
    found = MASKS[kind](scores.to(device))
    assert found.device == device and torch.equal(found.cpu(), MASKS[kind](scores))


@pytest.mark.parametrize("exact", [True, False], ids=["exact", "fast"])
@pytest.mark.parametrize("function", [statistics.squared_norms, statistics.hessian])
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
    sparsity.check(there, patterns.parse("2:4"))
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
            sparsity.check({NAME: weight.to(device)}, pattern)
        sparsity.check({NAME: magnitude.sparsify(weight, None, pattern).to(device)}, pattern)


def test_zeros_that_were_kept(device):
    weight = random(4, 8).masked_fill(random(4, 8, seed=1) > 0, 0)
    zeros = int((weight == 0).sum())
    for before, after in both_ways(device, {NAME: weight}):
        assert sparsity.check_kept(before, after) == zeros
        codes = {NAME: after[NAME].sign().to(torch.int8)}
        assert sparsity.check_kept(before, codes) == zeros
        filled = {NAME: after[NAME] + 1}
        with pytest.raises(ValueError, match=f"{zeros} of {zeros} zeros were filled"):
            sparsity.check_kept(before, filled)


def test_what_pruning_left_alone(device):
    # A number alone, and a view across its memory: neither can be seen as bytes as it is.
    state = {NAME: random(4, 8), "norm": random(3), "one": torch.tensor(2.0), "t": random(3, 2).t()}
    for before, after in both_ways(device, state):
        sparsity.check_untouched(before, after)
        sparsity.check_untouched(before, after | {NAME: after[NAME] * 2})
        for name in ("norm", "one", "t"):
            with pytest.raises(ValueError, match=f"^{name}: changed"):
                sparsity.check_untouched(before, after | {name: after[name] * 2})


# Training.


def test_the_hook_of_a_weight_that_moved(device):
    model = oracles.make_model("pre")
    model.model.decoder.layers[0].fc1.weight.data[:, ::2] = 0
    full.keep_zeros(model)  # here; the training moves the model afterwards
    weight = model.to(device).model.decoder.layers[0].fc1.weight
    (hook,) = weight._backward_hooks.values()
    kept = hook(torch.ones_like(weight))
    assert weight.device == kept.device == device
    assert torch.equal(kept != 0, weight != 0) and not kept.all() and kept.any()


def left_on(device):
    """In the place of the training: the model is moved, and stays there."""

    def train(model, *rest, **more):
        move(model, device)
        return {}

    return train


def move(model, device):
    """All of a model, in place: `to` refuses one in 8 bits."""
    for tensor in [*model.parameters(), *model.buffers()]:
        tensor.data = tensor.data.to(device)
        for name in ("CB", "SCB"):  # bitsandbytes' parts of a weight
            if isinstance(part := getattr(tensor, name, None), torch.Tensor):
                setattr(tensor, name, part.to(device))
    return model


@pytest.fixture
def checkpoint(opt_folders, tmp_path):
    layerwise.prune(
        opt_folders["pre"], tmp_path / "pruned", None, magnitude, patterns.parse("2:4"), {}
    )
    return tmp_path / "pruned"


def test_full_fine_tuning_around_the_training(
    checkpoint, opt_folders, tokens, tmp_path, monkeypatch, device
):
    monkeypatch.setattr(training, "train", left_on(device))
    full.finetune(
        checkpoint, tokens, opt_folders["pre"] / "tokenizer.json", device, SETTINGS,
        tmp_path / "m", tmp_path / "c.csv", tmp_path / "notes",
    )  # fmt: skip
    sparsity.check(checkpoints.state(tmp_path / "m"), patterns.parse("2:4"))


def test_qlora_around_the_training(checkpoint, opt_folders, tokens, tmp_path, monkeypatch, device):
    """The base is made there, and compared with the checkpoint, which is read here."""
    load, seen = quantisation.load, []

    def loaded(folder, where, *rest):
        assert where == device
        return move(load(folder, CPU, *rest), where)

    def check(before, after):
        seen.append({tensor.device.type for tensor in after.values()})
        return check_kept(before, after)

    check_kept = sparsity.check_kept
    monkeypatch.setattr(quantisation, "load", loaded)
    monkeypatch.setattr(training, "train", left_on(device))
    monkeypatch.setattr(sparsity, "check_kept", check)
    qlora.finetune(
        checkpoint, tokens, opt_folders["pre"] / "tokenizer.json", device, SETTINGS,
        tmp_path / "base", tmp_path / "adapter", tmp_path / "c.csv", tmp_path / "notes",
    )  # fmt: skip
    assert "cuda" in seen[0] and "cuda" in seen[1] and seen[2] == {"cpu"}
    assert check_kept(checkpoints.state(checkpoint), checkpoints.state(tmp_path / "base")) > 0
    assert (tmp_path / "adapter" / "adapter_model.safetensors").stat().st_size > 1000


# Eight bits.


def int8_state():
    codes = torch.randint(-127, 128, (6, 8), generator=torch.Generator().manual_seed(2))
    return {
        "fc1.weight": codes.to(torch.int8),
        "fc1.SCB": random(6).abs(),
        "fc1.weight_format": torch.tensor(0, dtype=torch.uint8),
        "norm.weight": random(8),
    }


def test_a_base_on_the_gpu_is_made_dense_and_takes_an_adapter_there(device, tmp_path):
    (tmp_path / "adapter_config.json").write_text(json.dumps({"lora_alpha": 4, "r": 2}))
    factors = {
        f"base_model.model.fc1.lora_{kind}.weight": random(*shape, seed=3)
        for kind, shape in (("A", (2, 8)), ("B", (6, 2)))
    }
    save_file(factors, tmp_path / "adapter_model.safetensors")
    found = []
    for where in (device, CPU):
        state = {name: tensor.to(where) for name, tensor in int8_state().items()}
        dense = quantisation.dequantise(state)
        merged = quantisation.merged(dense, tmp_path)
        assert {tensor.device for tensor in [*dense.values(), *merged.values()]} == {where}
        found.append({name: tensor.cpu() for name, tensor in merged.items()})
    assert found[0].keys() == found[1].keys() == {"fc1.weight", "norm.weight"}
    assert all(torch.equal(found[0][name], found[1][name]) for name in found[0])


# Running a model.


def test_the_model_of_a_row_is_loaded_to_the_gpu(checkpoint, tmp_path, device):
    model = quantisation.load(checkpoint, CPU)
    checkpoints.save(model, tmp_path / "base")
    adapted = get_peft_model(model, LoraConfig(r=2, lora_alpha=4, target_modules=["fc1"]))
    adapted.save_pretrained(tmp_path / "adapter")
    for folder, adapter in ((checkpoint, None), (tmp_path / "base", tmp_path / "adapter")):
        there, here = (generation.load(folder, adapter, "dense", where) for where in (device, CPU))
        assert {tensor.device for tensor in there.parameters()} == {device}
        for found, wanted in zip(there.parameters(), here.parameters(), strict=True):
            assert torch.equal(found.cpu(), wanted)


def test_summaries(opt_folders, device):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompts = [list(range(4, 4 + n)) for n in (5, 40, 12)]
    there, here = (
        generation.generate(
            generation.load(opt_folders["pre"], None, "dense", where), tokenizer, prompts, 2, 5
        )
        for where in (device, CPU)
    )
    assert there.tokens == here.tokens and all(there.tokens)


def test_a_token_s_time(opt_folders, device):
    model = generation.load(opt_folders["pre"], None, "dense", device)
    runs = costs.milliseconds_per_token(model, list(range(4, 24)), 3, 2)
    assert len(runs) == 2


@pytest.mark.parametrize("at_once", [1, 2048])
def test_likelihoods(at_once, opt_folders, device, monkeypatch):
    monkeypatch.setattr(likelihood, "TOKENS", at_once)
    sequences = [row[: 24 - 5 * i] for i, row in enumerate(oracles.make_sequences(3).tolist())]
    there, here = (
        likelihood.negative_log(
            generation.load(opt_folders["post"], None, "dense", where), sequences, [1, 3, 2]
        )
        for where in (device, CPU)
    )
    assert there == pytest.approx(here, rel=1e-5) and min(there) > 1


def test_bertscore(device):
    texts = {
        "predictions": ["Sets a fine.", "", "A bill to repeal a tax on farms in Ohio."],
        "references": ["A fine is set by the court.", "A bill.", "Repeals a farm tax."],
    }
    options = {"encoder": str(minilm_folder()), "num_layers": 2, "batch_size": 2}
    there, here = (
        modules()[1].compute(**copy.deepcopy(texts), **options, device=where)
        for where in ("cuda", "cpu")
    )
    for name in ("precision", "recall", "f1"):
        assert there[name] == pytest.approx(here[name], abs=1e-5) and there[name][0] > 0.1
