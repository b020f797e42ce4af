"""Sparse QLoRA: what pruning made zero is zero while it is trained, merged, rounded and packed."""

import shutil
from pathlib import Path
from typing import NamedTuple

import oracles
import pytest
import torch
from peft import set_peft_model_state_dict
from peft.tuners import lora
from safetensors.torch import load_file
from trainings import CPU, SETTINGS, tune

from sparsesum.base.errors import InputError
from sparsesum.experiment import patterns
from sparsesum.finetuning.methods import sparse_qlora
from sparsesum.finetuning.settings import Settings
from sparsesum.models import checkpoints, deployed, linears, opt, packing, quantisation, sizes
from sparsesum.pruning import checks, layerwise, sparsity
from sparsesum.pruning.pruners import magnitude

pytestmark = pytest.mark.slow

MASKED = SETTINGS | {
    "engine": "dense",
    "dropout": 0.0,
    "target_modules": ["q_proj", "v_proj", "fc1", "fc2"],
}
CASES = [(shape, sparsity) for shape in ("pre", "post") for sparsity in ("2:4", "4:8", "50%")]


class Tuned(NamedTuple):
    """A pruned checkpoint, what was trained of it, the merged model, and its sparsity."""

    pruned: Path
    base: Path
    adapter: Path
    merged: Path
    sparsity: str


@pytest.fixture(scope="module", params=CASES, ids=" ".join)
def tuned(request, opt_folders, tokens, tmp_path_factory) -> Tuned:
    """A row; base and adapter, which it does not keep, are copied before they are merged."""
    shape, text = request.param
    folder = tmp_path_factory.mktemp("tuned")
    pruned = folder / "pruned"
    layerwise.prune(opt_folders[shape], pruned, None, magnitude, patterns.parse(text), {})
    ours = sparse_qlora.merge

    def watched(base: Path, adapter: Path, place: Path) -> None:
        shutil.copytree(base, folder / "base")
        shutil.copytree(adapter, folder / "adapter")
        ours(base, adapter, place)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sparse_qlora, "merge", watched)
        given = (pruned, tokens, opt_folders[shape] / "tokenizer.json")
        costs = tune("sparse_qlora", given, folder / "merged", MASKED)
    assert costs["steps"] == 4
    return Tuned(pruned, folder / "base", folder / "adapter", folder / "merged", text)


@torch.no_grad()
def logits(model) -> torch.Tensor:
    made = model(oracles.make_sequences(3, 24))
    return made if torch.is_tensor(made) else made.logits


def masked_model(base: Path, adapter: Path) -> torch.nn.Module:
    """The model as it was trained, with the adapter that was."""
    settings = Settings.of(MASKED)
    model = sparse_qlora.adapt(torch.nn.Module(), base, CPU, settings).model
    factors = load_file(adapter / "adapter_model.safetensors")
    assert not set_peft_model_state_dict(model, factors).unexpected_keys
    return model.eval()


def test_each_zero_is_kept_and_the_pattern_holds(tuned):
    before = checkpoints.state(tuned.pruned)
    base = checkpoints.state(tuned.base)
    after = packing.read(tuned.merged / "model.safetensors")
    checks.check(after, patterns.parse(tuned.sparsity))
    zeros = checks.check_kept(before, after)
    names = linears.weights(before)
    assert zeros == sum(int((before[name] == 0).sum()) for name in names)
    assert zeros >= sum(before[name].numel() for name in names) // 2 - len(names) * 32
    assert checks.check_kept(base, after) >= zeros
    grown = sparse_qlora.grown(quantisation.dequantise(base), tuned.adapter)
    assert len(grown) == 2 * 4
    for name in names:
        if name not in grown:  # no adapter: as it was
            assert torch.equal(after[name], base[name])
            continue
        # Nothing is zero that was not, but by rounding to int8.
        assert torch.equal(grown[name] == 0, base[name] == 0)
        kept = base[name] != 0
        assert (grown[name] != quantisation.dequantise(base)[name])[kept].float().mean() > 0.9
        rounded = kept & (after[name] == 0)
        largest = grown[name].abs().amax(1, keepdim=True).expand_as(kept)
        assert (grown[name].abs()[rounded] < 1.001 * largest[rounded] / 254).all()
        assert after[name][kept].count_nonzero() > 0.9 * kept.sum()
    for name in base.keys() - set(names):
        if not name.endswith("SCB"):  # biases, norms, embeddings
            assert torch.equal(after[name], base[name])


def test_an_unmasked_adapter_would_fill_the_zeros(tuned):
    """What `checks` is there for: it tells the two apart."""
    base = checkpoints.state(tuned.base)
    filled = quantisation.merged(quantisation.dequantise(base), tuned.adapter)
    with pytest.raises(ValueError, match="zeros were filled"):
        checks.check_kept(base, filled)


def test_the_row_is_one_packed_model_and_no_adapter(tuned):
    assert sorted(path.name for path in tuned.merged.iterdir()) == [
        "config.json", "curve.csv", "model.safetensors", "tokenizer.json", "tokenizer_config.json",
    ]  # fmt: skip
    merged, base = (folder / "model.safetensors" for folder in (tuned.merged, tuned.base))
    assert sizes.parameters([merged]) == sizes.parameters([base])
    state = packing.read(merged)
    assert sizes.nonzero_parameters([merged]) == sum(
        int(tensor.count_nonzero())
        for name, tensor in state.items()
        if not name.endswith(("SCB", "weight_format"))
    )
    lines = [line for line in sparsity.count(merged) if line["linear"]]
    assert {line["tensor"] for line in lines} == set(linears.weights(state))
    assert all(line["zeros"] == int((state[line["tensor"]] == 0).sum()) for line in lines)
    stored = load_file(merged)
    linear = sum(t.nbytes for n, t in stored.items() if packing.PART.fullmatch(n))
    assert linear <= sum(line["weights"] for line in lines) * 0.625 + 4 * len(lines)


def test_merged_in_float_the_model_is_the_one_that_was_trained(tuned):
    trained = logits(masked_model(tuned.base, tuned.adapter))
    values = quantisation.dequantise(checkpoints.state(tuned.base))
    config = opt.read_config(tuned.base)
    grown = values | sparse_qlora.grown(values, tuned.adapter)
    whole = logits(opt.model(config, grown, CPU, torch.float32))
    assert torch.allclose(whole, trained, atol=1e-5)
    free = quantisation.merged(values, tuned.adapter)
    without = logits(opt.model(config, free, CPU, torch.float32))
    assert (without - trained).abs().max() > 1e-2  # an adapter without a mask is another model
    rounded = logits(deployed.load(tuned.merged, None, "dense", CPU))
    assert (rounded - trained).abs().max() < 0.2 * trained.std()


def test_each_engine_loads_the_packed_model(tuned, tmp_path):
    dense = logits(deployed.load(tuned.merged, None, "dense", CPU))
    theirs = quantisation.load_dense(tuned.merged, CPU, torch.float32)
    assert torch.allclose(logits(theirs), dense, atol=1e-5)
    assert deployed.in_int8(tuned.merged)
    int8 = logits(deployed.load(tuned.merged, None, "int8", CPU))
    assert not torch.equal(int8, dense)
    assert (int8 - dense).abs().max() < 0.2 * dense.std()  # rounding of activations
    with packing.plain(tuned.merged) as place:
        assert place != tuned.merged
        assert linears.weights(load_file(place / "model.safetensors"))
        assert torch.equal(logits(quantisation.load(place, CPU)), int8)
    assert not place.exists()
    with packing.plain(tuned.base) as place:
        assert place == tuned.base


def test_gradients_are_those_of_the_definition(opt_folders, pruned, tmp_path):
    """dL/dB = s (G * M) A^T and dL/dA = s B^T (G * M), with G = dL/dW, in float64."""
    checkpoints.save(quantisation.load(pruned["post"], CPU), tmp_path)
    settings = Settings.of(MASKED)
    model = sparse_qlora.adapt(torch.nn.Module(), tmp_path, CPU, settings).model
    layers = [module for module in model.modules() if isinstance(module, lora.Linear)]
    assert len(layers) == 2 * 4 and {type(layer) for layer in layers} == {sparse_qlora.MaskedLinear}
    torch.manual_seed(0)
    for layer in layers:
        a, b = (factors["default"].weight for factors in (layer.lora_A, layer.lora_B))
        with torch.no_grad():
            b.normal_(std=0.1)
        weight, scale = layer.base_layer.weight, 8 / 4
        inputs = torch.randn(5, 7, weight.shape[1], requires_grad=True)
        towards = torch.randn(5, 7, weight.shape[0])
        (layer(inputs) * towards).sum().backward()
        x, up, w, a64, b64 = (
            tensor.detach().double() for tensor in (inputs, towards, weight, a, b)
        )
        mask = (w != 0).double()
        assert 0.4 < mask.mean() < 0.6
        g = up.flatten(0, 1).T @ x.flatten(0, 1) * mask
        assert torch.allclose(b.grad.double(), scale * g @ a64.T, rtol=1e-4, atol=1e-4)
        assert torch.allclose(a.grad.double(), scale * b64.T @ g, rtol=1e-4, atol=1e-4)
        whole = w + scale * (b64 @ a64) * mask
        assert torch.allclose(inputs.grad.double(), up @ whole, rtol=1e-4, atol=1e-4)
        assert weight.grad is None and not weight.requires_grad
    trained = {name.split(".")[-3] for name, p in model.named_parameters() if p.requires_grad}
    assert trained == {"lora_A", "lora_B"}


def test_int8_codes_are_those_that_a_base_gets(opt_folders, tmp_path):
    """`quantise` is what `load` does, row by row."""
    checkpoints.save(quantisation.load(opt_folders["pre"], CPU), tmp_path)
    base, before = checkpoints.state(tmp_path), checkpoints.state(opt_folders["pre"])
    for name in linears.weights(before):
        codes, maxima = quantisation.quantise(before[name])
        assert torch.equal(codes, base[name])
        assert torch.equal(maxima, base[f"{name.removesuffix('weight')}SCB"])


def test_a_merge_that_fills_a_zero_ends_the_job(opt_folders, pruned, tokens, tmp_path, monkeypatch):
    def unmasked(values: dict, adapter: Path) -> dict:
        merged = quantisation.merged(values, adapter)
        return {name: merged[name] for name in merged if merged[name] is not values[name]}

    monkeypatch.setattr(sparse_qlora, "grown", unmasked)
    given = (pruned["pre"], tokens, opt_folders["pre"] / "tokenizer.json")
    with pytest.raises(ValueError, match="zeros were filled"):
        tune("sparse_qlora", given, tmp_path, MASKED)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("dropout", 0.05, "key 'sparse_qlora.dropout': 0.05; allowed is 0: the adapter is added"),
        ("engine", "int8", "key 'sparse_qlora.engine': 'int8'; allowed is 'dense': the adapter is"),
    ],
)
def test_what_a_masked_product_cannot_have_is_refused(
    opt_folders, tokens, tmp_path, name, value, said
):
    given = (opt_folders["pre"], tokens, opt_folders["pre"] / "tokenizer.json")
    with pytest.raises(InputError, match=said):
        tune("sparse_qlora", given, tmp_path, MASKED | {name: value})


def test_an_unpruned_base_is_merged_as_well(opt_folders, tokens, tmp_path):
    """Of an unpruned base rounding alone makes zeros: the adapter is all but LoRA's."""
    given = (opt_folders["pre"], tokens, opt_folders["pre"] / "tokenizer.json")
    for way in ("sparse_qlora", "qlora"):
        tune(way, given, tmp_path / way, MASKED | {"log_every": 1})
    rows = [
        [line.split(",") for line in (tmp_path / way / "curve.csv").read_text().split()[1:]]
        for way in ("sparse_qlora", "qlora")
    ]
    masked, free = ([float(row[3]) for row in curve] for curve in rows)
    assert masked == pytest.approx(free, abs=5e-3) and len(masked) == 4
    merged = deployed.load(tmp_path / "sparse_qlora", None, "dense", CPU)
    beside = deployed.load(tmp_path / "qlora/base", tmp_path / "qlora/adapter", "dense", CPU)
    assert (logits(merged) - logits(beside)).abs().max() < 0.2 * logits(beside).std()
