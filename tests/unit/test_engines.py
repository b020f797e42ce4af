"""Whatever a checkpoint's configuration asks for, each way to run it is transformers' own."""

import json
import shutil
from pathlib import Path

import oracles
import pytest
import torch
from peft import PeftModel
from safetensors.torch import load_file, save_file
from test_opt import VARIANTS, make
from trainings import CPU, SETTINGS, tune

from sparsesum.base.errors import InputError
from sparsesum.finetuning import training
from sparsesum.generation import generation
from sparsesum.models import checkpoints, deployed, opt, quantisation
from sparsesum.pruning import layers

pytestmark = pytest.mark.slow

ALL = {
    "activation_function": "gelu",
    "enable_bias": False,
    "layer_norm_elementwise_affine": False,
    "_remove_final_layer_norm": True,
    "tie_word_embeddings": False,
    "word_embed_proj_dim": 8,
    "dropout": 0.3,
    "attention_dropout": 0.2,
}
EACH = VARIANTS | {"all at once": ALL}


@pytest.fixture(params=EACH)
def dense(request, tmp_path, tokenizer) -> Path:
    """A checkpoint as `dense` writes it, of a model with random weights."""
    make(EACH[request.param]).save_pretrained(tmp_path / "source")
    checkpoints.save(checkpoints.load(tmp_path / "source"), tmp_path / "dense")
    return tmp_path / "dense"


@torch.no_grad()
def logits(model, ids: torch.Tensor) -> torch.Tensor:
    made = model(ids)
    return made if torch.is_tensor(made) else made.logits


def test_each_engine_gives_the_logits_of_transformers(dense, tmp_path):
    ids = oracles.make_sequences(3, 24)
    theirs = checkpoints.load(tmp_path / "source")
    wanted = logits(theirs, ids)
    assert torch.equal(logits(deployed.load(dense, None, "dense", CPU), ids), wanted)

    walked = layers.Layers(dense, CPU, exact=False)
    hidden = torch.cat(list(walked.first_inputs(ids)))
    for index in range(len(walked)):
        hidden = walked.load(index)(hidden)
    decoder = theirs.model.decoder
    with torch.no_grad():
        if decoder.final_layer_norm is not None:
            hidden = decoder.final_layer_norm(hidden)
        if decoder.project_out is not None:
            hidden = decoder.project_out(hidden)
        assert torch.allclose(theirs.lm_head(hidden), wanted, atol=1e-5)
        on_gpu = training.causal(decoder, ids)  # what trains there
        assert torch.equal(theirs.lm_head(on_gpu), wanted)

    base = tmp_path / "base"
    checkpoints.save(quantisation.load(dense, CPU), base)
    assert deployed.in_int8(base) and not deployed.in_int8(dense)
    values = quantisation.dequantise(load_file(base / "model.safetensors"))
    theirs.load_state_dict(values, strict=False)
    wanted = logits(theirs, ids)
    trained_on = quantisation.load_dense(base, CPU, torch.float32)
    assert torch.equal(logits(trained_on, ids), wanted)
    int8 = logits(quantisation.load(base, CPU), ids)
    assert (int8 - wanted).abs().max() < 0.2 * wanted.std()  # rounding of activations


@pytest.mark.parametrize("variant", ["head of its own", "no bias", "all at once"])
@pytest.mark.parametrize("engine", ["dense", "int8"])
def test_a_row_has_its_own_head_after_training(variant, engine, tmp_path, tokens, tokenizer):
    """QLoRA on a head of its own: the dense engine scored with the embedding in its place."""
    model = make(EACH[variant] | {"vocab_size": 512, "max_position_embeddings": 192})
    model.save_pretrained(tmp_path / "source")
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    given = (tmp_path / "source", tokens, tmp_path / "tokenizer.json")
    settings = SETTINGS | {"engine": engine, "epochs": 1, "target_modules": ["q_proj", "fc2"]}
    base, adapter = tmp_path / "row" / "base", tmp_path / "row" / "adapter"
    tune("qlora", given, tmp_path / "row", settings)

    ids = oracles.make_sequences(3, 24)
    with_adapter = PeftModel.from_pretrained(
        quantisation.load_dense(base, CPU, torch.float32), adapter
    ).eval()
    wanted = logits(with_adapter, ids)
    rows = {kind: deployed.load(base, adapter, kind, CPU) for kind in deployed.ENGINES}
    assert torch.allclose(logits(rows["dense"], ids), wanted, atol=1e-4)
    assert (
        logits(rows["int8"], ids) - wanted
    ).abs().max() < 0.2 * wanted.std()  # rounding of activations
    head = checkpoints.load(tmp_path / "source").lm_head.weight
    assert torch.equal(rows["dense"].lm_head.weight, head)

    tune("full", given, tmp_path / "full", settings)
    theirs = checkpoints.load(tmp_path / "full")
    assert torch.equal(
        logits(deployed.load(tmp_path / "full", None, "dense", CPU), ids), logits(theirs, ids)
    )
    if EACH[variant].get("tie_word_embeddings", True):
        assert theirs.lm_head.weight is theirs.get_input_embeddings().weight
    else:
        assert not torch.equal(theirs.lm_head.weight, head)  # it was trained, too


def spoilt(folder: Path, change, config: dict | None = None) -> Path:
    """A copy of a checkpoint whose tensors `change` changes, and whose configuration `config`."""
    place = folder.with_name("spoilt")
    shutil.copytree(folder, place)
    state = load_file(place / "model.safetensors")
    change(state)
    save_file(state, place / "model.safetensors", {"format": "pt"})
    if config:
        given = json.loads((place / "config.json").read_text())
        (place / "config.json").write_text(json.dumps(given | config))
    return place


FC1 = "model.decoder.layers.1.fc1.weight"


@pytest.mark.parametrize(
    ("change", "config", "said"),
    [
        (lambda state: None, {"tie_word_embeddings": False}, "its weights lack lm_head.weight"),
        (
            lambda state: state.update({FC1: torch.ones(32, 16, dtype=torch.int8)}),
            None,
            f"{FC1} is I8; allowed are float weights",
        ),
        # transformers takes this head, saves that it is tied, and loses it.
        (
            lambda state: state.update({"lm_head.weight": torch.ones(50, 16)}),
            None,
            "lm_head.weight is not its embedding.*set tie_word_embeddings: false",
        ),
        (
            lambda state: None,
            {"quantization_config": {"load_in_8bit": True, "quant_method": "bitsandbytes"}},
            "has a quantization_config; allowed are float weights",
        ),
    ],
)
def test_weights_that_are_not_the_configurations_are_refused(change, config, said, tmp_path):
    make({}).save_pretrained(tmp_path / "source")
    with pytest.raises(InputError, match=said):
        checkpoints.load(spoilt(tmp_path / "source", change, config))


def test_training_ends_a_text_where_generation_stops(tmp_path, tokens, tokenizer):
    """The configuration may call another token the end, a list of them, or none."""
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    data = training.examples(tokens, "summary", True, tmp_path / "tokenizer.json")
    end = tokenizer.token_to_id(generation.END)
    assert {int(example["labels"][-1]) for example in data} == {end}
    model = make({"vocab_size": 512, "max_position_embeddings": 192, "eos_token_id": [5, 7]})
    model.save_pretrained(tmp_path / "source")
    given = (tmp_path / "source", tokens, tmp_path / "tokenizer.json")
    settings = SETTINGS | {"epochs": 1}
    tune("full", given, tmp_path / "full", settings)


def test_a_text_beyond_the_positions_is_refused_before_training(tmp_path, tokens, tokenizer):
    """It was an IndexError of the embedding, after the model was loaded and moved."""
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    make({"vocab_size": 512, "max_position_embeddings": 64}).save_pretrained(tmp_path / "source")
    given = (tmp_path / "source", tokens, tmp_path / "tokenizer.json")
    with pytest.raises(InputError, match=r"a text of \d+ tokens.* the model's 64 positions; lower"):
        tune("full", given, tmp_path / "full")


def test_the_configuration_is_that_of_opt(tmp_path):
    """Of each field that changes the arithmetic this project knows a value that is allowed."""
    make(ALL).save_pretrained(tmp_path)
    config = opt.read_config(tmp_path)
    assert {name: config[name] for name in ALL} == ALL


def test_a_rows_files_lie_in_the_folders_of_model_and_adapter():
    model = ["results/qlora/m/base/model.safetensors", "results/qlora/m/base/config.json"]
    adapter = ["results/qlora/m/adapter/adapter_model.safetensors"]
    base = Path("results/qlora/m/base")
    assert deployed.folders(model, adapter) == (base, Path("results/qlora/m/adapter"))
    assert deployed.folders(model, None) == (base, None)
