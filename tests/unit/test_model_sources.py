"""A model's source that is incomplete or does not fit together is refused before it is used."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file
from tokenizers import Tokenizer, processors

from sparsesum.base.errors import InputError
from sparsesum.corpus.tokens import tokenise
from sparsesum.models import checkpoints

POINTER = "version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 250000000\n"


@pytest.fixture
def source(opt_folders, tmp_path: Path) -> Path:
    """A copy of a sound source, to spoil."""
    return shutil.copytree(opt_folders["pre"], tmp_path / "source")


def configure(folder: Path, **changed) -> None:
    file = folder / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | changed))


def test_weights_that_are_missing_are_not_made_up(source):
    """transformers draws them at random, and says so in a table."""
    file = source / "model.safetensors"
    state = load_file(file)
    del state["model.decoder.layers.1.fc1.weight"]
    save_file(state, file, {"format": "pt"})
    said = r"source: its weights lack model\.decoder\.layers\.1\.fc1\.weight; config\.json asks for"
    with pytest.raises(InputError, match=said):
        checkpoints.load(source)


def test_layers_that_the_configuration_does_not_know_are_not_left_out(source):
    configure(source, num_hidden_layers=1)
    said = r"its weights have model\.decoder\.layers\.1\.fc1\.bias, .* config\.json does not"
    with pytest.raises(InputError, match=said):
        checkpoints.load(source)


def test_weights_of_another_shape(source):
    configure(source, ffn_dim=32)
    said = r"layers\.0\.fc1\.bias is \[64\], and config\.json asks for \[32\]"
    with pytest.raises(InputError, match=said):
        checkpoints.load(source)


def halved(file: Path) -> None:
    file.write_bytes(file.read_bytes()[: file.stat().st_size // 2])


@pytest.mark.parametrize("how", ["pointer", "half", "empty"])
@pytest.mark.parametrize("kind", ["model.safetensors", "pytorch_model.bin"])
def test_weights_that_did_not_arrive_whole(source, kind, how):
    """Git without its large file support leaves a few lines in a weight file's place."""
    if kind == "pytorch_model.bin":
        state = load_file(source / "model.safetensors")
        (source / "model.safetensors").unlink()
        torch.save(state, source / kind)
    file = source / kind
    if how == "pointer":
        file.write_text(POINTER)
    elif how == "half":
        halved(file)
    else:
        file.write_bytes(b"")
    with pytest.raises(InputError, match="source: its (weights cannot|pytorch_model.bin holds)"):
        checkpoints.load(source)


@pytest.mark.parametrize("content", [POINTER, "", "{}"], ids=["pointer", "empty", "other"])
def test_a_tokenizer_that_did_not_arrive_whole(source, content):
    (source / "tokenizer.json").write_text(content)
    with pytest.raises(InputError, match=r"source/tokenizer\.json: no tokenizer"):
        checkpoints.load_tokenizer(source)


def test_a_tokenizer_that_has_nothing_to_fill_up_rows_with(source):
    text = (source / "tokenizer.json").read_text()
    (source / "tokenizer.json").write_text(text.replace('"<pad>"', '"<other>"'))
    with pytest.raises(InputError, match="source: its tokenizer has no <pad>"):
        checkpoints.load_tokenizer(source)


def test_a_tokenizer_with_more_tokens_than_the_model(source):
    tokenizer = Tokenizer.from_file(str(source / "tokenizer.json"))
    checkpoints.check_vocabulary(tokenizer, checkpoints.load(source))
    tokenizer.add_tokens(["Congress"])
    said = "its tokenizer's 'Congress' has id 512, .* vocab_size is 512"
    with pytest.raises(InputError, match=said):
        checkpoints.check_vocabulary(tokenizer, checkpoints.load(source))


@pytest.mark.parametrize("setting", ["truncation", "padding", "ends"])
def test_what_a_tokenizer_was_saved_with_cuts_no_text_and_adds_nothing(source, setting):
    """Who trained or used it may have left a length in the file, which holds for each text."""
    file = source / "tokenizer.json"
    tokenizer = checkpoints.load_tokenizer(source)
    records = [{"id": "a", "text": "The bill is enacted. " * 60, "summary": "It is a bill."}]
    expected = tokenise(tokenizer, records, 200, 20)
    if setting == "truncation":
        tokenizer.enable_truncation(40)
    elif setting == "padding":
        tokenizer.enable_padding(length=600)
    else:
        end = [("</s>", tokenizer.token_to_id("</s>"))]
        tokenizer.post_processor = processors.TemplateProcessing(
            single="</s> </s> $A </s>", special_tokens=end
        )
    tokenizer.save(str(file))
    assert tokenise(checkpoints.load_tokenizer(source), records, 200, 20) == expected
