"""NaN and infinity stop every stage in which they may arise, and are in no artifact after it."""

import json
import math
import shutil
import sys
from importlib import import_module
from pathlib import Path
from types import SimpleNamespace

import oracles
import pytest
import torch
from safetensors.torch import load_file, save_file

from sparsesum.base import files, finite
from sparsesum.base.errors import InputError
from sparsesum.experiment import patterns
from sparsesum.generation import decoding, paper_engine
from sparsesum.models import opt
from sparsesum.pruning import layerwise, reconstruction
from sparsesum.pruning.pruners import magnitude
from sparsesum.scoring import likelihood, means, perplexity, similarity

CPU = torch.device("cpu")
NAN, INF = math.nan, math.inf
FC1 = "model.decoder.layers.1.fc1.weight"


def spoilt(source: Path, folder: Path, name: str, value: float) -> Path:
    """A copy of a checkpoint with one value changed."""
    shutil.copytree(source, folder)
    state = load_file(folder / "model.safetensors")
    state[name][-1] = value
    save_file(state, folder / "model.safetensors", {"format": "pt"})
    return folder


@pytest.mark.parametrize("value", [NAN, INF, -INF])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float16, torch.bfloat16])
def test_one_value_of_many_is_found(value, dtype):
    state = {"sound": torch.ones(3, 4, dtype=dtype), "bad": torch.ones(3, 4, dtype=dtype)}
    finite.check(state, "model")
    state["bad"][1, 2] = value
    with pytest.raises(InputError, match="^model: bad: 1 of 12 values are NaN or infinite"):
        finite.check(state, "model")


def test_what_holds_no_floats_is_sound():
    largest = torch.finfo(torch.float16).max
    state = {"int8": torch.ones(3, dtype=torch.int8), "none": torch.ones(0)}
    finite.check(state | {"large": torch.tensor([largest], dtype=torch.float16)}, "model")


@pytest.mark.parametrize("value", [NAN, INF])
def test_magnitude_pruning_keeps_no_such_weight(value, opt_folders, tmp_path):
    """NaN is neither small nor zero: it passed through, and every check of zeros with it."""
    folder = spoilt(opt_folders["pre"], tmp_path / "source", FC1, value)
    with pytest.raises(InputError, match="layers.1.fc1: a weight is NaN or infinite"):
        layerwise.prune(folder, tmp_path / "draft", None, magnitude, patterns.parse("2:4"), {})


@pytest.mark.parametrize("name", [FC1, "model.decoder.final_layer_norm.bias"])
def test_an_int8_base_is_sound(name, opt_folders, tokens, tmp_path):
    from trainings import tune

    folder = spoilt(opt_folders["pre"], tmp_path / "source", name, INF)
    tokenizer = opt_folders["pre"] / "tokenizer.json"
    with pytest.raises(InputError, match=r"^/.*/base: model\.decoder\..* NaN or infinite"):
        tune("qlora", (folder, tokens, tokenizer), tmp_path / "made")
    assert not (tmp_path / "made" / "adapter").exists()


def test_a_model_to_infer_with_is_sound_in_its_dtype(opt_folders):
    """A weight of 1e5 is one in float32, and infinite in float16."""
    state = load_file(opt_folders["pre"] / "model.safetensors")
    state[FC1][0, 0] = 1e5
    config = opt.read_config(opt_folders["pre"])
    opt.model(config, state, CPU, torch.float32)
    with pytest.raises(InputError, match=f"float16: {FC1}: 1 of .* generate.dtype: fp32"):
        opt.model(config, state, CPU, torch.float16)


def overflowing(value: float = 3e38) -> opt.OPT:
    """A model with finite weights whose logits are not."""
    model = oracles.ours(oracles.make_model("pre"))
    with torch.no_grad():
        model.decoder.layers[-1].fc2.weight.fill_(value)
    return model


@pytest.mark.parametrize("prompts", [[[2, 5, 6]], [[2, 5, 6], [2, 7]]])
def test_no_token_is_decoded_from_nan(prompts):
    decode = decoding.Greedy(overflowing(), 3, 8, 5, pad=1, end=2)
    with pytest.raises(InputError, match="a logit is NaN or infinite"):
        decode(prompts, lambda ids: False)
    sound = decoding.Greedy(overflowing(0.0), 3, 8, 5, pad=1, end=2)
    assert len(sound(prompts, lambda ids: False)) == len(prompts)


def test_nor_by_the_papers_engine(tokenizer):
    model = oracles.make_model("pre")
    given = (model, tokenizer, 4, 1, 2, "### End", [[2, 5, 6], [2, 7]])
    assert len(paper_engine.greedy(*given)) == 2
    with torch.no_grad():
        model.model.decoder.layers[-1].fc2.weight.fill_(3e38)
    with pytest.raises(InputError, match="a logit is NaN or infinite"):
        paper_engine.greedy(*given)


def test_likelihood_is_a_number():
    with pytest.raises(InputError, match="the likelihood of sequence 0 is nan"):
        likelihood.negative_log(overflowing(), [[2, 5, 6, 7]], [1])


@pytest.mark.parametrize("nll", [[NAN, 1.0], [1e5, 1e5], [INF, 2.0]])
def test_perplexity_is_a_number(nll):
    """Above 1e308 it was an OverflowError."""
    with pytest.raises(InputError, match="the perplexity of all sequences is (nan|inf)"):
        perplexity.perplexity(nll, [10, 10], resamples=10, seed=0)


@pytest.mark.parametrize("metric", similarity.METRICS)
def test_a_mean_has_all_its_scores(metric):
    """Metrics of grounding may lack a value for a bill; these may not."""
    example = dict.fromkeys(means.METRICS, 0.5) | {"blank": False, "cut_off": False}
    assert means.summary([example, example], 10, 0)[metric]["mean"] == 0.5
    with pytest.raises(InputError, match=f"{metric} of example 1 is nan"):
        means.summary([example, example | {metric: NAN}], 10, 0)


def test_a_score_is_a_number(monkeypatch):
    class Broken:
        def compute(self, **_):
            return {name: [0.5, NAN] for name in [*similarity.METRICS, "f1"]}

    monkeypatch.setattr(similarity, "modules", lambda: (Broken(), Broken()))
    records = [{"id": f"b{i}", "prediction": "a", "reference": "b", "cut_off": False} for i in "12"]
    with pytest.raises(InputError, match="rouge1 of b2 is nan"):
        similarity.score(records, Path("encoder"), 1, 2)


def test_a_reconstruction_error_is_a_number(opt_folders, tmp_path):
    pruned = spoilt(opt_folders["pre"], tmp_path / "pruned", FC1, NAN) / "model.safetensors"
    with pytest.raises(
        InputError, match=r"the reconstruction error of model\.decoder\.layers\.1\.fc1 is nan"
    ):
        reconstruction.errors(
            opt_folders["pre"], pruned, oracles.make_sequences(2, 16), tmp_path / "scratch"
        )


@pytest.mark.parametrize("value", [NAN, INF])
def test_no_json_holds_what_json_has_not(value, tmp_path):
    for write, what in ((files.write_json, {"a": value}), (files.write_jsonl, [{"a": value}])):
        with pytest.raises(ValueError, match="not JSON compliant"):
            write(tmp_path / "x", what)
        assert not (tmp_path / "x").exists()
    files.write_json(tmp_path / "x", {"a": None})
    assert json.loads((tmp_path / "x").read_text()) == {"a": None}


@pytest.mark.parametrize("value", [NAN, INF])
def test_a_source_is_looked_at_first(value, opt_folders, tmp_path, monkeypatch):
    # It would set up this process as a job's.
    monkeypatch.setitem(sys.modules, "runner", SimpleNamespace(job=None))
    dense = import_module("dense")
    name = "model.decoder.embed_positions.weight"
    source = spoilt(opt_folders["post"], tmp_path / "source", name, value)
    given = SimpleNamespace(
        params=SimpleNamespace(source=str(source)),
        input=SimpleNamespace(manifest=[]),
        output=SimpleNamespace(model=str(tmp_path / "made" / "model.safetensors")),
    )
    with pytest.raises(InputError, match=f"source: {name}: .* fetch or export it again"):
        dense.main(given)
    assert not (tmp_path / "made").exists()
    given.params.source = str(opt_folders["post"])
    dense.main(given)
    assert (tmp_path / "made" / "model.safetensors").is_file()
