"""Shrunk checkpoints of both OPT shapes, by any kind: transformers loads what is left."""

import json
import math
from pathlib import Path

import oracles
import pytest
import torch
from shrunk import KINDS, SHAPES, shrink, stock
from transformers import OPTForCausalLM

from sparsesum.base.errors import InputError
from sparsesum.models import checkpoints, parameters, sizes
from sparsesum.pruning import layerwise
from sparsesum.shrinking import cut, feed_forward
from sparsesum.shrinking.cut import Given
from sparsesum.shrinking.kinds import random_layers

pytestmark = pytest.mark.slow

PAPER = Path(__file__).resolve().parents[2] / "resources" / "paper"


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_file_is_as_transformers_writes_it_and_the_same_twice(shape, kind, tmp_path):
    module, amount, options = KINDS[kind]
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        folder = shrink(module, oracles.make_model(shape), amount, tmp_path / name, **options)
        written.append((folder / "model.safetensors").read_bytes())
    model = stock(folder)
    checkpoints.save(model, tmp_path / "saved")
    assert written == [(tmp_path / "saved" / "model.safetensors").read_bytes()] * 2
    config = json.loads((folder / "config.json").read_text())
    saved = json.loads((tmp_path / "saved" / "config.json").read_text())
    assert config == saved
    file = folder / "model.safetensors"
    assert parameters.count(config) == sizes.parameters([file])
    assert sizes.parameters([file]) < sizes.parameters([tmp_path / "one/dense/model.safetensors"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "switch", ["tie_word_embeddings", "enable_bias", "layer_norm_elementwise_affine"]
)
def test_other_shapes_of_opt(switch, kind, tmp_path):
    config = oracles.make_model("pre").config
    config.update({switch: False})
    torch.manual_seed(0)
    dense = OPTForCausalLM(config)
    module, amount, options = KINDS[kind]
    shrunk = stock(shrink(module, dense, amount, tmp_path, **options))
    assert torch.equal(shrunk.lm_head.weight, dense.lm_head.weight)
    assert (shrunk.lm_head.weight is shrunk.get_input_embeddings().weight) == (
        switch != "tie_word_embeddings"
    )


def test_a_head_that_repeats_the_embedding_is_not_copied(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shrink(random_layers, oracles.make_model("pre"), 0.5, tmp_path)
    before = (folder / "model.safetensors").read_bytes()
    file = tmp_path / "dense" / "model.safetensors"
    state = load_file(file)
    head = state["model.decoder.embed_tokens.weight"].clone()
    save_file(state | {"lm_head.weight": head}, file, {"format": "pt"})
    random_layers.shrink(tmp_path / "dense", folder, 0.5, Given())
    assert (folder / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("amount", [0.0, 1.0, 0.01, 1.5, -0.5, math.nan])
def test_an_amount_that_keeps_nothing_or_all_is_refused(amount, kind, tmp_path):
    module, _, options = KINDS[kind]
    with pytest.raises(InputError, match=rf"a share {amount} of \d+ .* is none or all; allowed"):
        shrink(module, oracles.make_model("pre"), amount, tmp_path, **options)


def test_a_share_is_rounded_down_but_not_by_a_products_last_bits():
    assert 0.57 * 100 < 57
    assert cut.kept("layers", 100, 0.57) == 57
    assert [cut.kept("layers", 12, share) for share in (0.75, 0.7, 0.09, 0.99)] == [9, 8, 1, 11]
    assert [cut.kept("neurons", 3072, share, 8) for share in (0.5, 0.7)] == [1536, 2144]
    with pytest.raises(InputError, match=r"a share 0\.2 of 32 neurons, .* multiple of 8"):
        cut.kept("neurons", 32, 0.2, 8)
    with pytest.raises(InputError, match="none or all"):
        cut.kept("layers", 12, 1 - 1e-9)


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "random_layers"])
@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        (None, "calibration set is empty"),
        (torch.zeros(0, 8, dtype=torch.int64), "calibration set is empty"),
        (torch.full((2, 33), 7), "calibration.length = 33 exceeds the model's 32 positions"),
    ],
)
def test_no_calibration_set_or_too_long_a_one_is_refused(sequences, said, kind, tmp_path):
    module, amount, options = KINDS[kind]
    checkpoints.save(oracles.make_model("pre"), tmp_path)
    with pytest.raises(InputError, match=said):
        module.shrink(tmp_path, tmp_path / "draft", amount, Given(sequences), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_not_finite_are_refused(kind, tmp_path):
    module, amount, options = KINDS[kind]
    dense = oracles.make_model("pre")
    with torch.no_grad():
        for layer in dense.model.decoder.layers:
            layer.fc1.bias[2] = math.nan
    with pytest.raises(InputError, match=r"(NaN|nan)"):
        shrink(module, dense, amount, tmp_path, **options)


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "random_layers"])
def test_says_how_many_layers_are_done_with(kind, tmp_path):
    module, amount, options = KINDS[kind]
    told = []
    report = lambda *args: told.append(args)  # noqa: E731 - as short as it is
    shrink(module, oracles.make_model("pre"), amount, tmp_path, report=report, **options)
    assert [done for done, _ in told] == ([1] if kind == "layers by perplexity" else [1, 2, 3])
    assert all(isinstance(text, str) and text for _, text in told)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_on_a_device(kind, device, tmp_path):
    module, amount, options = KINDS[kind]
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder, place in zip(folders, ["cpu", device], strict=True):
        folder.mkdir()
        shrink(module, oracles.make_model("post"), amount, folder, device=place, **options)
    here, there = (checkpoints.state(folder / "shrunk") for folder in folders)
    for name, tensor in here.items():
        torch.testing.assert_close(there[name], tensor, msg=name)


@pytest.mark.parametrize("kind", ["neurons", "layers by cosine"])
def test_where_memory_is_short_the_disk_gives_the_same(kind, tmp_path, monkeypatch):
    module, amount, options = KINDS[kind]
    found = []
    for name, room in (("memory", layerwise.ROOM), ("disk", 0.0)):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(layerwise, "ROOM", room)
        folder = shrink(module, oracles.make_model("pre"), amount, tmp_path / name, **options)
        found.append((folder / "model.safetensors").read_bytes())
    assert found[0] == found[1]


@pytest.mark.parametrize(
    ("changes", "shares"),
    [
        ({"neurons": 0.5}, (0.77, 0.70)),
        ({"layers": 0.5}, (0.66, 0.54)),
        ({"vocabulary": 16_384}, (0.79, 0.95)),
        ({"vocabulary": 16_384, "neurons": 0.5, "layers": 0.75}, (0.45, 0.49)),
    ],
)
def test_what_is_left_of_the_papers_models(changes, shares):
    for model, share in zip(("opt-125m", "opt-350m"), shares, strict=True):
        dense = json.loads((PAPER / f"{model}.json").read_text())
        shrunk = dict(dense)
        if "neurons" in changes:
            shrunk["ffn_dim"] = cut.kept(
                "", dense["ffn_dim"], changes["neurons"], feed_forward.MULTIPLE
            )
        if "layers" in changes:
            shrunk["num_hidden_layers"] = cut.kept(
                "", dense["num_hidden_layers"], changes["layers"]
            )
        if "vocabulary" in changes:
            shrunk["vocab_size"] = changes["vocabulary"]
        assert round(parameters.count(shrunk) / parameters.count(dense), 2) == share
