"""Full fine-tuning and QLoRA: what moves, what must not, and what is kept."""

import csv
import json
from pathlib import Path

import oracles
import pandas
import pytest
import torch
from safetensors.torch import load_file
from tokenizers import Tokenizer
from trainings import CPU, SETTINGS, tune
from transformers import TrainingArguments

from sparsesum.base.errors import InputError
from sparsesum.experiment import patterns
from sparsesum.finetuning import training
from sparsesum.finetuning.settings import Notes, Settings
from sparsesum.models import checkpoints, linears
from sparsesum.pruning import checks

pytestmark = pytest.mark.slow


def files(opt_folders) -> Path:
    return opt_folders["pre"] / "tokenizer.json"


@pytest.fixture
def given(opt_folders, tokens) -> tuple[Path, Path, Path]:
    """A dense checkpoint, tokens, a tokenizer."""
    return opt_folders["pre"], tokens, files(opt_folders)


def curve(folder: Path) -> list[dict[str, str]]:
    return list(csv.DictReader((folder / "curve.csv").open()))


def test_labels_cover_the_summary_or_the_whole_sequence(tokens, opt_folders):
    tokenizer = Tokenizer.from_file(str(files(opt_folders)))
    rows = pandas.read_parquet(tokens)
    for loss in ("summary", "sequence"):
        data = training.examples(tokens, loss, True, files(opt_folders))
        for example, reference in zip(data, rows["reference"], strict=True):
            learned = [i for i in example["labels"].tolist() if i != training.IGNORED]
            assert example["input_ids"][-1] == learned[-1] == 2
            if loss == "summary":
                assert tokenizer.decode(learned) == f"{reference}\n\n### End"
            else:
                assert learned == example["input_ids"].tolist()
    plain = training.examples(tokens, "sequence", False, files(opt_folders))
    assert [row["input_ids"].tolist() for row in plain] == [list(ids) for ids in rows["input_ids"]]


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_full_moves_all_but_the_zeros(opt_folders, pruned, tokens, tmp_path, shape):
    costs = tune("full", (pruned[shape], tokens, files(opt_folders)), tmp_path / "m")
    before, after = checkpoints.state(pruned[shape]), checkpoints.state(tmp_path / "m")
    checks.check(after, patterns.parse("2:4"))
    for name in linears.weights(before):
        kept = before[name] != 0
        assert torch.equal(after[name] == 0, ~kept)
        assert (after[name] != before[name])[kept].float().mean() > 0.9
    assert not torch.equal(
        before["model.decoder.embed_tokens.weight"], after["model.decoder.embed_tokens.weight"]
    )
    assert costs["steps"] == 4 and costs["examples"] == 16 and costs["seconds"] > 0


@pytest.mark.parametrize("way", ["full", "qlora"])
def test_several_gpus_change_nothing(given, tmp_path, monkeypatch, way):
    """As the Trainer counts them, which would give each a batch of its own."""
    monkeypatch.setattr(TrainingArguments, "n_gpu", property(lambda arguments: 2))
    costs = tune(way, given, tmp_path / "m")
    assert (costs["steps"], costs["examples"]) == (4, 16)


def test_a_large_batch_on_a_cpu_is_no_reason_to_checkpoint(given, tmp_path):
    more = {"effective_batch": 32, "batch_size": 32, "checkpointing": "auto"}
    costs = tune("full", given, tmp_path / "m", SETTINGS | more)
    assert costs["batch_size"] == 32 and costs["checkpointing"] is False


def test_the_loss_curve_is_kept_and_falls(given, tmp_path):
    tune("full", given, tmp_path / "m", SETTINGS | {"epochs": 10})
    rows = curve(tmp_path / "m")
    assert [int(row["step"]) for row in rows] == list(range(1, 21))
    assert float(rows[-1]["loss"]) < float(rows[0]["loss"]) - 0.5
    assert float(rows[-1]["learning_rate"]) < float(rows[1]["learning_rate"])


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_qlora_keeps_every_zero_of_its_base_in_int8(opt_folders, pruned, tokens, tmp_path, shape):
    tune("qlora", (pruned[shape], tokens, files(opt_folders)), tmp_path)
    base = checkpoints.state(tmp_path / "base")
    before = checkpoints.state(pruned[shape])
    names = linears.weights(before)
    assert len(names) == 12 and all(base[name].dtype == torch.int8 for name in names)
    assert checks.check_kept(before, base) == sum(int((before[name] == 0).sum()) for name in names)
    # All else stays in float, project_in and project_out among it.
    assert {t.dtype for n, t in base.items() if n not in names and "SCB" not in n} <= {
        torch.float32,
        torch.uint8,
    }
    adapter = load_file(tmp_path / "adapter" / "adapter_model.safetensors")
    # q, k and v of two layers: A [4, 32] and B [32, 4] each.
    assert sum(tensor.numel() for tensor in adapter.values()) == 2 * 3 * 2 * 4 * 32
    assert all(tensor.any() for name, tensor in adapter.items() if "lora_B" in name)


def test_adapters_go_where_the_configuration_says(given, tmp_path):
    tune("qlora", given, tmp_path, SETTINGS | {"target_modules": ["fc1", "fc2"], "epochs": 1})
    names = load_file(tmp_path / "adapter" / "adapter_model.safetensors").keys()
    assert {name.split(".")[-3] for name in names} == {"fc1", "fc2"}
    config = json.loads((tmp_path / "adapter" / "adapter_config.json").read_text())
    assert (config["r"], config["lora_alpha"]) == (4, 8)


def test_the_same_seed_trains_the_same_adapter(given, tmp_path):
    made = []
    for run in ("a", "b"):
        tune("qlora", given, tmp_path / run)
        made.append((tmp_path / run / "adapter" / "adapter_model.safetensors").read_bytes())
        made.append((tmp_path / run / "curve.csv").read_bytes())
    assert made[:2] == made[2:]


def test_a_batch_is_padded_to_its_longest_sequence(opt_folders, tokens, tmp_path, monkeypatch):
    widths = []
    model = checkpoints.load(opt_folders["pre"])
    causal, pad = training.causal, 1

    def watched(decoder, ids):
        widths.append((ids.shape[1], int((ids != pad).sum(1).max())))
        return causal(decoder, ids)

    monkeypatch.setattr(training, "causal", watched)
    data = training.examples(tokens, "summary", True, files(opt_folders))
    training.train(
        training.Trainable(model),
        data,
        files(opt_folders),
        CPU,
        Settings.of(SETTINGS | {"epochs": 1}),
        tmp_path / "c.csv",
        Notes(tmp_path),
    )
    assert widths and all(width == longest for width, longest in widths)


def test_half_precision_on_a_cpu_is_refused_in_words(given, tmp_path):
    with pytest.raises(InputError, match="fp16 needs a GPU, .* allowed .*: fp32, bf16"):
        tune("full", given, tmp_path / "m", SETTINGS | {"precision": "fp16"})


@pytest.mark.parametrize("kind", ["full", "int8", "dense"])
def test_how_many_at_a_time_and_checkpointing_change_no_mathematics(
    kind, opt_folders, tokens, tmp_path
):
    """The losses agree, whatever the micro-batch; without dropout, which is drawn by the batch."""
    model = checkpoints.load(opt_folders["post"])
    model.config.dropout = model.config.attention_dropout = 0.0
    checkpoints.save(model, tmp_path / "source")
    curves = []
    ways = [(8, False), (2, False), (4, True), ("auto", "auto")]
    for place, (size, checkpointing) in enumerate(ways):
        more = {"batch_size": size, "checkpointing": checkpointing, "dropout": 0.0, "engine": kind}
        more |= {"target_modules": ["q_proj", "k_proj", "v_proj", "fc1", "fc2"]}
        costs = tune(
            "full" if kind == "full" else "qlora",
            (tmp_path / "source", tokens, files(opt_folders)),
            tmp_path / str(place),
            SETTINGS | more,
        )
        assert costs["batch_size"] == (8 if size == "auto" else size)
        assert costs["checkpointing"] == (checkpointing is True)
        curves.append([float(row["loss"]) for row in curve(tmp_path / str(place))])
    for losses in curves[1:]:
        assert losses == pytest.approx(curves[0], abs=5e-4)
    assert curves[0][-1] < curves[0][0]


@pytest.mark.parametrize("one_shape", [False, True])
def test_logits_of_labelled_tokens_alone_give_the_same_loss(
    one_shape, opt_folders, tokens, tmp_path, monkeypatch
):
    """No mask, logits of the tokens that the loss covers, and on a GPU batches of one shape."""
    curves = []
    ours = training._collator
    for placed in (False, True):
        rows = 3 if one_shape else None  # of 16 examples the last one is alone
        monkeypatch.setattr(
            training,
            "_collator",
            lambda data, file, _, placed=placed, rows=rows: (
                ours(data, file, rows) if placed else training.Padded(1)
            ),
        )
        folder = tmp_path / str(placed)
        tune(
            "full",
            (opt_folders["post"], tokens, files(opt_folders)),
            folder,
            SETTINGS | {"batch_size": 3, "effective_batch": 3, "log_every": 1},
        )
        curves.append([float(row["loss"]) for row in curve(folder)])
    # Dropout is drawn by the batch's shape.
    assert curves[1] == pytest.approx(curves[0], abs=0.05 if one_shape else 5e-3)
    assert curves[1][-1] < curves[1][0] and curves[1] != curves[0]


def test_batches_of_one_shape_say_the_same(tokens, opt_folders):
    data = training.examples(tokens, "summary", True, files(opt_folders))[:3]
    free, fixed = training.Placed(1)(data), training.Placed(1, (5, 200, 190))(data)
    assert fixed["input_ids"].shape == (5, 200) and len(fixed["places"]) == 190
    count = len(free["places"])
    assert fixed["targets"][:count].tolist() == free["targets"].tolist()
    assert set(fixed["targets"][count:].tolist()) == {training.IGNORED}
    for batch in (free, fixed):
        ids, places = batch["input_ids"], batch["places"][:count]
        # The token after each place is the target.
        assert ids.flatten()[places + 1].tolist() == batch["targets"][:count].tolist()
        assert (batch["labels"] != training.IGNORED).sum() == count


@pytest.mark.parametrize("shape", ["pre", "post"])
def test_hidden_states_without_a_mask_are_transformers_own(shape):
    decoder = oracles.make_model(shape).model.decoder
    ids = oracles.make_sequences(3, 24)
    with torch.no_grad():
        theirs = decoder(ids, use_cache=False).last_hidden_state
        assert torch.equal(training.causal(decoder, ids), theirs)
