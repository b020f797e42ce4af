"""This project's OPT against transformers': the same bits, whatever a configuration asks for."""

import json

import oracles
import pytest
import torch
from hypothesis import example, given
from hypothesis import strategies as st
from test_fuzz import fuzz
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.base.errors import InputError
from sparsesum.models import checkpoints, opt

VARIANTS = {
    "before": {},
    "after, narrow": {"do_layer_norm_before": False, "word_embed_proj_dim": 8},
    "narrow alone": {"word_embed_proj_dim": 8},
    "gelu": {"activation_function": "gelu"},
    "no bias": {"enable_bias": False},
    "plain norms": {"layer_norm_elementwise_affine": False},
    "no last norm": {"_remove_final_layer_norm": True},
    "head of its own": {"tie_word_embeddings": False},
}


def make(variant: dict) -> OPTForCausalLM:
    torch.manual_seed(0)
    shape = {"hidden_size": 16, "ffn_dim": 32, "num_hidden_layers": 3, "num_attention_heads": 4}
    shape |= {"vocab_size": 50, "max_position_embeddings": 32}
    config = OPTConfig(**(shape | variant))
    model = OPTForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.add_(torch.randn_like(parameter) * 0.3)
    return model.eval()


@pytest.mark.parametrize("name", VARIANTS)
def test_the_same_bits_as_transformers(name, tmp_path):
    theirs = make(VARIANTS[name])
    theirs.save_pretrained(tmp_path)
    ours = opt.model(
        opt.read_config(tmp_path),
        checkpoints.state(tmp_path),
        torch.device("cpu"),
        torch.float32,
    )
    ids = oracles.make_sequences(3, 24)
    with torch.no_grad():
        assert torch.equal(ours(ids), theirs(ids).logits)
    plain = make({})
    if name != "before":  # the variant is one
        with torch.no_grad():
            assert not torch.equal(plain(ids).logits, theirs(ids).logits)


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_eager_attention_is_that_of_transformers(shape):
    theirs = oracles.make_model(shape)
    theirs.set_attn_implementation("eager")
    ours = oracles.ours(theirs)
    for layer in ours.decoder.layers:
        layer.self_attn.eager = True
    ids = oracles.make_sequences(3, 24)
    with torch.no_grad():
        assert torch.equal(ours(ids), theirs(ids).logits)


def test_a_tensor_that_is_missing_is_named():
    theirs = oracles.make_model("pre")
    state = theirs.state_dict()
    del state["model.decoder.layers.1.fc1.bias"]
    with pytest.raises(RuntimeError, match="layers.1.fc1.bias"):
        opt.model(opt.DEFAULTS | theirs.config.to_dict(), state, torch.device("cpu"), torch.float32)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "config.json: no such file"),
        ("{", "config.json: broken JSON"),
        ('{"model_type": "llama"}', "model_type 'llama'; allowed is opt"),
        (
            '{"model_type": "opt", "hidden_size": 8, "activation_function": "tanh"}',
            "activation_function 'tanh'; allowed is relu, gelu, silu",
        ),
        (
            '{"model_type": "opt", "activation_function": ["relu"]}',
            "allowed is relu, gelu, silu",
        ),
        (
            '{"model_type": "opt", "enable_bias": "false"}',
            "enable_bias 'false'; allowed is true or",
        ),
        (
            '{"model_type": "opt", "tie_word_embeddings": 0}',
            "tie_word_embeddings 0; allowed is true",
        ),
        (
            '{"model_type": "opt", "layer_norm_elementwise_affine": null}',
            "affine None; allowed is tr",
        ),
        ('{"model_type": "opt", "dropout": 1.0}', "dropout 1.0; allowed is from 0 to below 1"),
        ('{"model_type": "opt", "attention_dropout": NaN}', "attention_dropout nan; allowed is"),
        (
            '{"model_type": "opt", "layerdrop": 0.1}',
            "layerdrop 0.1; allowed is 0: layers are never",
        ),
        (
            '{"model_type": "opt", "num_attention_heads": 5}',
            "heads 5; allowed is a number of heads",
        ),
        ('{"model_type": "opt", "word_embed_proj_dim": -1}', "word_embed_proj_dim -1; allowed is"),
        ('{"model_type": "opt", "ffn_dim": null}', "ffn_dim None; allowed is a number above 0"),
        ('{"model_type": "opt", "vocab_size": true}', "vocab_size True; allowed is a number"),
        ('{"model_type": "opt", "num_hidden_layers": 0}', "num_hidden_layers 0; allowed is"),
    ],
)
def test_what_is_no_opt_is_refused(content, said, tmp_path):
    if content:
        (tmp_path / "config.json").write_text(content)
    with pytest.raises(InputError, match=said):
        opt.read_config(tmp_path)


def test_the_defaults_are_those_of_transformers():
    theirs = OPTConfig().to_dict()
    assert json.loads(json.dumps(opt.DEFAULTS)) == {key: theirs[key] for key in opt.DEFAULTS}


SMALL = {
    "hidden_size": 8,
    "ffn_dim": 8,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "vocab_size": 9,
    "max_position_embeddings": 4,
    "pad_token_id": 0,
}
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers(-2, 12) | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=4,
)
FIELDS = st.sampled_from([*opt.DEFAULTS, "word_embed_proj_dim", "model_type", "of_no_meaning"])
LIKELY = st.sampled_from([True, False, 0, 0.0, 0.5, 1, 8, "relu", "gelu", "silu", None])


@fuzz(300)
@given(st.dictionaries(FIELDS, ANYTHING | LIKELY, max_size=4))
@example({"num_attention_heads": 3})
@example({"layerdrop": 0.5})
@example({"word_embed_proj_dim": 0})
@example({"activation_function": {}})
def test_what_is_allowed_of_a_configuration_makes_a_model(tmp_path_factory, changed):
    """Any config.json is refused in one line, or is one that transformers and this project make."""
    folder = tmp_path_factory.getbasetemp()
    (folder / "config.json").write_text(json.dumps(SMALL | {"model_type": "opt"} | changed))
    try:
        config = opt.read_config(folder)
    except InputError as error:
        assert "\n" not in str(error)
        assert any(str(name) in str(error) for name in [*changed, "hidden_size"])
        return
    with torch.device("meta"):
        ours = opt.OPT(config)
        theirs = OPTForCausalLM(OPTConfig.from_pretrained(folder))
    shapes = {name: tensor.shape for name, tensor in theirs.state_dict().items()}
    assert {name: tensor.shape for name, tensor in ours.state_dict().items()} == shapes
