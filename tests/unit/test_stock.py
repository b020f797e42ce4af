"""What this project leaves is loaded by stock transformers and peft, elsewhere and without it."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import dense
import prune
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from trainings import tune

from sparsesum.models import deployed, tokenizer_files

CPU = torch.device("cpu")
SETTINGS = {
    "epochs": 1, "learning_rate": 0.02, "effective_batch": 4, "batch_size": 4, "warmup_steps": 1,
    "schedule": "linear", "seed": 42, "loss": "summary", "end_token": True, "precision": "fp32",
    "checkpointing": False, "log_every": 1, "rank": 4, "alpha": 8, "dropout": 0.0,
    "target_modules": ["q_proj", "v_proj", "fc1"], "engine": "int8",
}  # fmt: skip
TEXT = "An act.\n\n### Output:\nThe bill.\n\n### End"
FOLDERS = {
    "dense": "results/dense/tiny",
    "prune": "results/prune/bills/tiny/magnitude_2of4",
    "full": "results/full/bills/tiny/dense",
    "base": "results/qlora/bills/tiny/magnitude_2of4/base",
}
ADAPTER = FOLDERS["base"].replace("base", "adapter")

STOCK = """
import importlib.util, json, os, sys
from pathlib import Path
import torch
from peft import AutoPeftModelForCausalLM, PeftModel
from safetensors.torch import save_file
from transformers import AutoModelForCausalLM, AutoTokenizer
assert importlib.util.find_spec("sparsesum") is None
place, out, text, folders, adapter = json.loads(sys.argv[1])
found = {}
with torch.inference_mode():
    for name, folder in folders.items():
        folder = Path(place, folder)
        tokenizer = AutoTokenizer.from_pretrained(folder)
        model = AutoModelForCausalLM.from_pretrained(folder)
        asked = tokenizer([text, "An act."], return_tensors="pt", padding=True)
        assert len(tokenizer) <= model.get_input_embeddings().num_embeddings
        marks = (tokenizer.bos_token_id, tokenizer.eos_token_id, tokenizer.pad_token_id)
        of_generation = model.generation_config
        assert marks == (2, 2, 1) == tuple(
            getattr(of_generation, f"{mark}_token_id") for mark in ("bos", "eos", "pad")
        ), marks
        found[name] = model(asked["input_ids"][:1]).logits
        found[name + " ids"] = asked["input_ids"]
        found[name + " new"] = model.generate(
            **asked, max_new_tokens=4, do_sample=False, stop_strings=["### End"],
            tokenizer=tokenizer,
        )
    adapted = PeftModel.from_pretrained(model, Path(place, adapter)).eval()
    found["adapted"] = adapted(found["base ids"][:1]).logits
    os.chdir(place)  # peft looks for the base there
    again = AutoPeftModelForCausalLM.from_pretrained(adapter).eval()
    found["auto"] = again(found["base ids"][:1]).logits
save_file({name: tensor.contiguous() for name, tensor in found.items()}, out)
"""


@pytest.fixture(scope="module", params=["pre", "post"])
def made(request, opt_folders, tokens, tmp_path_factory) -> Path:
    """A project's folder with a dense, a pruned, a fully and a QLoRA fine-tuned model in results/.

    As their rules make them: the scripts' own work where there is a script, but for training.
    """
    root = tmp_path_factory.mktemp("made")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        source = str(opt_folders[request.param])
        dense.main(job({"manifest": []}, {"source": source}, model=FOLDERS["dense"]))
        weights, tokenizer = (
            f"{FOLDERS['dense']}/{name}" for name in ("model.safetensors", "tokenizer.json")
        )
        given = {"model": weights, "calibration": [], "tokenizer": tokenizer}
        settings = {"pruner": "magnitude", "pattern": "2of4", "options": {}, "exact": False}
        settings |= {"device": "cpu", "threads": 1}
        prune.main(
            job(given, settings, model=FOLDERS["prune"]),
            SimpleNamespace(scratch=lambda folder, device: Path("scratch")),
        )
        trained = (tokens, Path(tokenizer))
        tune("full", (Path(FOLDERS["dense"]), *trained), Path(FOLDERS["full"]), SETTINGS)
        # Into a draft, which gets its name when it is whole.
        row = Path(FOLDERS["base"]).parent
        draft = row.with_name(".draft")
        tune("qlora", (Path(FOLDERS["prune"]), *trained), draft, SETTINGS, place=row)
        draft.rename(row)
    return root


def job(given: dict, settings: dict, **outputs: str) -> SimpleNamespace:
    """What Snakemake hands a script."""
    whole = {name: f"{folder}/model.safetensors" for name, folder in outputs.items()}
    return SimpleNamespace(
        input=SimpleNamespace(**given),
        output=SimpleNamespace(**whole),
        params=SimpleNamespace(**settings),
        config={"save_every": 1e9},
    )


def stock(place: Path, cwd: Path) -> dict[str, torch.Tensor]:
    """What the folders below `place` give in a process without this project, started in `cwd`."""
    out = cwd / "found.safetensors"
    given = json.dumps([str(place), str(out), TEXT, FOLDERS, ADAPTER])
    environment = {key: value for key, value in os.environ.items() if key != "PYTHONPATH"}
    done = subprocess.run(
        [sys.executable, "-c", STOCK, given],
        cwd=cwd,
        env=environment | {"HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return load_file(out)


@pytest.mark.long("each model is loaded by transformers and peft in a process of its own")
def test_all_models_load_elsewhere_and_give_the_same(made: Path, tmp_path: Path):
    shutil.copytree(made / "results", tmp_path / "copy" / "results")
    found = stock(tmp_path / "copy", tmp_path)
    tokenizer = Tokenizer.from_file(str(made / FOLDERS["dense"] / "tokenizer.json"))
    ids = tokenizer.encode(TEXT).ids
    assert ids[0] == 2
    asked = torch.tensor([ids])
    with torch.inference_mode():
        for name in FOLDERS:
            assert found[f"{name} ids"][0].tolist() == ids
            assert found[f"{name} ids"][1, 0] == 1  # padded on the left
        for name in ("dense", "prune", "full"):
            own = deployed.load(made / FOLDERS[name], None, "dense", CPU)
            assert torch.equal(found[name], own(asked))
        row = (made / FOLDERS["base"], made / ADAPTER)
        int8 = deployed.load(*row, "int8", CPU)(asked).logits
        dense = deployed.load(*row, "dense", CPU)(asked)
    assert torch.equal(found["adapted"], int8) and torch.equal(found["auto"], int8)
    assert not torch.equal(found["base"], int8)
    # int8 kernels round their inputs to 8 bits, too.
    assert (found["adapted"] - dense).abs().max() < 0.1 * dense.std()


def test_no_file_says_where_it_was_made(made: Path):
    config = json.loads((made / ADAPTER / "adapter_config.json").read_text())
    assert config["base_model_name_or_path"] == FOLDERS["base"]
    for folder in (*FOLDERS.values(), ADAPTER):
        for file in (made / folder).iterdir():
            content = file.read_bytes()
            assert str(made).encode() not in content and b".draft" not in content, file


def test_the_tokenizer_is_the_models_own_to_the_byte(made: Path):
    (own,) = {(made / folder / "tokenizer.json").read_bytes() for folder in FOLDERS.values()}
    assert own == (made / FOLDERS["dense"] / "tokenizer.json").read_bytes()
    (config,) = {
        (made / folder / "tokenizer_config.json").read_text() for folder in FOLDERS.values()
    }
    assert json.loads(config)["model_max_length"] == 512


def test_a_mark_that_the_vocabulary_lacks_is_not_named(opt_folders, tmp_path: Path):
    for name in ("config.json", "tokenizer.json"):
        shutil.copy(opt_folders["pre"] / name, tmp_path)
    file = tmp_path / "tokenizer.json"
    tokenizer = json.loads(file.read_text())
    tokenizer["added_tokens"] = [t for t in tokenizer["added_tokens"] if t["content"] != "<pad>"]
    tokenizer["model"]["vocab"].pop("<pad>", None)
    file.write_text(json.dumps(tokenizer))
    tokenizer_files.describe(tmp_path)
    config = json.loads((tmp_path / "tokenizer_config.json").read_text())
    assert "pad_token" not in config and config["eos_token"] == "</s>"
