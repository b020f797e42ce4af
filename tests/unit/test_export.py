"""The folder that stock libraries load: generation's end, plain weights, an adapter's base."""

import json
import shutil
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file
from transformers import AutoModelForCausalLM, AutoTokenizer

from sparsesum.models import checkpoints, export, packing, quantisation

LIMIT = 12


def written(checkpoint: Path, tokenizer: Path, folder: Path, stop: str) -> str:
    """What an exported model writes after a text, its own generation_config.json alone."""
    folder.mkdir()
    export.write(checkpoint, None, tokenizer / "tokenizer.json", folder, LIMIT, stop)
    model, marks = (
        AutoModelForCausalLM.from_pretrained(folder),
        AutoTokenizer.from_pretrained(folder),
    )
    asked = marks("An act to amend.", return_tensors="pt")
    new = model.generate(**asked, tokenizer=marks)[0, asked["input_ids"].shape[1] :]
    assert len(new) <= LIMIT
    return marks.decode(new)


def test_generation_ends_at_the_limit_or_the_stop_string(opt_folders, tmp_path: Path):
    source = opt_folders["pre"]
    endless = written(source, source, tmp_path / "endless", "### End")
    assert "### End" not in endless
    stop = 2 * endless[-1]  # it repeats itself in the end
    ended = written(source, source, tmp_path / "ended", stop)
    assert ended == endless[: endless.index(stop) + len(stop)] and len(ended) < len(endless)


def test_generation_is_greedy_whatever_a_source_says(opt_folders, tmp_path: Path):
    export.write(
        opt_folders["pre"], None, opt_folders["pre"] / "tokenizer.json", tmp_path, LIMIT, "### End"
    )
    assert json.loads((tmp_path / "generation_config.json").read_text()) == {
        "bos_token_id": 2,
        "eos_token_id": 2,
        "pad_token_id": 1,
        "do_sample": False,
        "num_beams": 1,
        "max_new_tokens": LIMIT,
        "stop_strings": ["### End"],
    }


@pytest.mark.slow
def test_packed_weights_are_written_plain(pruned, opt_folders, tmp_path: Path):
    tokenizer = opt_folders["pre"] / "tokenizer.json"
    model = quantisation.load(pruned["pre"], torch.device("cpu"))
    checkpoints.save(model, tmp_path / "plain")
    state = checkpoints.state(tmp_path / "plain")
    (tmp_path / "packed").mkdir()
    packing.write(state, tmp_path / "packed" / "model.safetensors")
    shutil.copy(tmp_path / "plain" / "config.json", tmp_path / "packed")
    for name in ("plain", "packed"):
        folder = tmp_path / f"{name} exported"
        folder.mkdir()
        packed = export.write(tmp_path / name, None, tokenizer, folder, LIMIT, "### End")
        assert packed == (name == "packed")
        after = load_file(folder / "model.safetensors")
        assert after.keys() == state.keys()
        assert all(torch.equal(after[key], state[key]) for key in state)


def test_an_adapter_names_no_path_and_keeps_its_settings(opt_folders, tmp_path: Path):
    source, folder = tmp_path / "adapter", tmp_path / "folder"
    source.mkdir()
    folder.mkdir()
    (source / "adapter_model.safetensors").write_bytes(b"weights")
    (source / "README.md").write_text("peft's own, without a word")
    config = {"base_model_name_or_path": "results/qlora/bills/tiny/dense/base", "r": 4}
    (source / "adapter_config.json").write_text(json.dumps(config))
    tokenizer = opt_folders["pre"] / "tokenizer.json"
    export.write(opt_folders["pre"], source, tokenizer, folder, LIMIT, "### End")
    copied = {path.name: path.read_bytes() for path in (folder / "adapter").iterdir()}
    assert copied.keys() == {"adapter_model.safetensors", "adapter_config.json"}
    assert copied["adapter_model.safetensors"] == b"weights"
    assert json.loads(copied["adapter_config.json"]) == {"base_model_name_or_path": ".", "r": 4}
