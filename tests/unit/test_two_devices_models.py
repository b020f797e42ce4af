"""Training, eight bits, generation and scores on a GPU that there is not (`two_devices`)."""

import copy
import json

import oracles
import pytest
import torch
from peft import LoraConfig, get_peft_model
from safetensors.torch import save_file
from trainings import tune
from two_devices import random

from sparsesum.experiment import patterns
from sparsesum.finetuning import training
from sparsesum.finetuning.methods import full
from sparsesum.generation import costs, generation
from sparsesum.models import checkpoints, deployed, quantisation
from sparsesum.pruning import checks, layerwise
from sparsesum.pruning.pruners import magnitude
from sparsesum.scoring import likelihood
from sparsesum.scoring.encoder import minilm_folder
from sparsesum.scoring.similarity import modules

CPU = torch.device("cpu")


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

    def train(trainable, *rest):
        move(trainable.model, device)
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
    given = (checkpoint, tokens, opt_folders["pre"] / "tokenizer.json")
    tune("full", given, tmp_path / "m", device=device)
    checks.check(checkpoints.state(tmp_path / "m"), patterns.parse("2:4"))


def test_qlora_around_the_training(checkpoint, opt_folders, tokens, tmp_path, monkeypatch, device):
    """The base is made there, and compared with the checkpoint, which is read here."""
    load, seen = quantisation.load, []

    def loaded(folder, where, *rest):
        assert where == device
        return move(load(folder, CPU, *rest), where)

    def check(before, after):
        seen.append({tensor.device.type for tensor in after.values()})
        return check_kept(before, after)

    check_kept = checks.check_kept
    monkeypatch.setattr(quantisation, "load", loaded)
    monkeypatch.setattr(training, "train", left_on(device))
    monkeypatch.setattr(checks, "check_kept", check)
    given = (checkpoint, tokens, opt_folders["pre"] / "tokenizer.json")
    tune("qlora", given, tmp_path, device=device)
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
        there, here = (deployed.load(folder, adapter, "dense", where) for where in (device, CPU))
        assert {tensor.device for tensor in there.parameters()} == {device}
        for found, wanted in zip(there.parameters(), here.parameters(), strict=True):
            assert torch.equal(found.cpu(), wanted)


def test_summaries(opt_folders, device):
    tokenizer = generation.tokenizer(opt_folders["pre"] / "tokenizer.json")
    prompts = [list(range(4, 4 + n)) for n in (5, 40, 12)]
    there, here = (
        generation.generate(
            deployed.load(opt_folders["pre"], None, "dense", where), tokenizer, prompts, 2, 5
        )
        for where in (device, CPU)
    )
    assert there.tokens == here.tokens and all(there.tokens)


def test_a_token_s_time(opt_folders, device):
    model = deployed.load(opt_folders["pre"], None, "dense", device)
    runs = costs.milliseconds_per_token(model, list(range(4, 24)), 3, 2)
    assert len(runs) == 2


@pytest.mark.parametrize("at_once", [1, 2048])
def test_likelihoods(at_once, opt_folders, device, monkeypatch):
    monkeypatch.setattr(likelihood, "TOKENS", at_once)
    sequences = [row[: 24 - 5 * i] for i, row in enumerate(oracles.make_sequences(3).tolist())]
    there, here = (
        likelihood.negative_log(
            deployed.load(opt_folders["post"], None, "dense", where), sequences, [1, 3, 2]
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
