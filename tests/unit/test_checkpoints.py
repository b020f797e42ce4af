"""Checkpoints: loading, saving, counting; sources that are none."""

import json
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.base.errors import InputError
from sparsesum.models import checkpoints, sizes

SMALL = {
    "vocab_size": 64,
    "hidden_size": 16,
    "num_hidden_layers": 1,
    "ffn_dim": 32,
    "num_attention_heads": 2,
    "max_position_embeddings": 64,
    "word_embed_proj_dim": 16,
}


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_what_is_saved_is_what_was_loaded(opt_folders, shape, tmp_path: Path):
    model = checkpoints.load(opt_folders[shape])
    checkpoints.save(model, tmp_path / "copy")
    again = checkpoints.load(tmp_path / "copy")
    ids = torch.arange(4, 24)[None]
    assert torch.equal(model(ids).logits, again(ids).logits)
    assert model.dtype == torch.float32 and not model.training


def test_half_precision_sources_are_loaded_in_float32(opt_folders, tmp_path: Path):
    checkpoints.load(opt_folders["pre"]).half().save_pretrained(tmp_path)
    assert checkpoints.load(tmp_path).dtype == torch.float32


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_parameters_are_counted_once_with_the_tied_head(opt_folders, shape):
    model = checkpoints.load(opt_folders[shape])
    file = opt_folders[shape] / "model.safetensors"
    expected = sum(parameter.numel() for parameter in model.parameters())
    assert sizes.parameters([file]) == expected
    assert sizes.nonzero_parameters([file]) == expected


def test_nonzero_parameters_and_bytes_are_the_files(tmp_path: Path):
    save_file(
        {
            "a.weight": torch.tensor([[0, 3, -1], [0, 0, 5]], dtype=torch.int8),
            "a.SCB": torch.ones(2),
            "b": torch.tensor([0.0, -0.0, 1e-30]),
        },
        tmp_path / "x.safetensors",
    )
    files = [tmp_path / "x.safetensors"]
    assert sizes.parameters(files) == 9
    assert sizes.nonzero_parameters(files) == 4
    assert sizes.size_mb(files * 2) == 2 * files[0].stat().st_size / 2**20


def test_a_folder_that_is_no_opt(tmp_path: Path):
    with pytest.raises(InputError, match="config.json: no such file"):
        checkpoints.load(tmp_path)
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "llama"}))
    with pytest.raises(InputError, match="config.json: model_type 'llama'; allowed is opt"):
        checkpoints.load(tmp_path)
    (tmp_path / "config.json").write_text("{")
    with pytest.raises(InputError, match="config.json: broken JSON"):
        checkpoints.load(tmp_path)


def test_a_folder_without_a_tokenizer(tmp_path: Path):
    with pytest.raises(InputError, match=r"no tokenizer.json, and no vocab.json"):
        checkpoints.load_tokenizer(tmp_path)


def test_the_real_tokenizer_from_a_folder_as_the_hub_has_it(shared, tmp_path: Path):
    for name in ("vocab.json", "merges.txt"):
        (tmp_path / name).write_bytes((shared / "opt_tokenizer" / name).read_bytes())
    (tmp_path / "config.json").write_text(json.dumps({"model_type": "opt"}))
    (tmp_path / "tokenizer_config.json").write_text(
        json.dumps(
            {"tokenizer_class": "GPT2Tokenizer", "bos_token": "</s>", "eos_token": "</s>",
             "unk_token": "</s>", "pad_token": "<pad>", "add_bos_token": True}
        )
    )  # fmt: skip
    tokenizer = checkpoints.load_tokenizer(tmp_path)
    assert tokenizer.encode("A photo of a cat").ids == [2, 250, 1345, 9, 10, 4758]


def pickled(folder: Path, weights: object) -> Path:
    """A source that has its weights as a pickle only."""
    folder.mkdir()
    OPTConfig(**SMALL).save_pretrained(folder)
    torch.save(weights, folder / "pytorch_model.bin")
    return folder


def test_a_pickle_of_tensors_is_read_where_there_are_no_safetensors(tmp_path: Path):
    torch.manual_seed(3)
    model = OPTForCausalLM(OPTConfig(**SMALL)).eval()
    found = checkpoints.load(pickled(tmp_path / "m", model.state_dict()))
    ids = torch.arange(4, 24)[None]
    assert torch.equal(found(ids).logits, model(ids).logits)


class Malicious:
    """Unpickled, it makes the file it was given."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def __reduce__(self):
        return Path.touch, (self.path,)


def test_a_pickle_with_code_is_refused_and_the_code_not_run(tmp_path: Path):
    weights = OPTForCausalLM(OPTConfig(**SMALL)).state_dict()
    harm = tmp_path / "harm"
    folder = pickled(tmp_path / "m", weights | {"lm_head.bias": Malicious(harm)})
    with pytest.raises(InputError, match="pytorch_model.bin holds more than tensors") as caught:
        checkpoints.load(folder)
    assert "\n" not in str(caught.value) and not harm.exists()
    torch.load(folder / "pytorch_model.bin", weights_only=False)
    assert harm.exists()  # it would have run


def test_safetensors_are_preferred_to_a_pickle(tmp_path: Path):
    torch.manual_seed(3)
    model = OPTForCausalLM(OPTConfig(**SMALL))
    folder = pickled(tmp_path / "m", {"lm_head.bias": Malicious(tmp_path / "harm")})
    model.save_pretrained(folder)
    found = checkpoints.load(folder).state_dict()
    assert all(torch.equal(found[name], tensor) for name, tensor in model.state_dict().items())
    assert not (tmp_path / "harm").exists()


def test_a_folder_without_weights(tmp_path: Path):
    OPTConfig(**SMALL).save_pretrained(tmp_path)
    with pytest.raises(InputError, match="no file named model.safetensors, or pytorch_model.bin"):
        checkpoints.load(tmp_path)


def test_the_shipped_models_have_the_true_shapes():
    root = Path(__file__).resolve().parents[2] / "resources" / "models"
    small = checkpoints.read_config(root / "opt-125m-mini")
    large = checkpoints.read_config(root / "opt-350m-mini")
    assert small.do_layer_norm_before and small.word_embed_proj_dim == small.hidden_size
    assert not large.do_layer_norm_before and large.word_embed_proj_dim < large.hidden_size
    for folder in ("opt-125m-mini", "opt-350m-mini"):
        state = load_file(root / folder / "model.safetensors")
        assert {tensor.dtype for tensor in state.values()} == {torch.float16}
