"""Stand-ins for the Hub's models, at a smaller size: formats, counts, and that they are read."""

import torch

from sparsesum.base import files
from sparsesum.models import checkpoints, sizes, stand_ins
from sparsesum.scoring import similarity


def test_an_opt_stand_in_is_a_source_without_zeros(opt_folders, tmp_path):
    for name, folder in opt_folders.items():
        config = files.read_json(folder / "config.json")
        stand_ins.opt(config, folder / "tokenizer.json", tmp_path / name)
        weights = [tmp_path / name / "model.safetensors"]
        count = sizes.parameters([folder / "model.safetensors"])
        assert sizes.parameters(weights) == sizes.nonzero_parameters(weights) == count
        state = checkpoints.state(tmp_path / name)
        assert {tensor.dtype for tensor in state.values()} == {torch.float16}
        model = checkpoints.load(tmp_path / name)
        assert model(torch.tensor([[2, 5, 6]])).logits.isfinite().all()
        assert checkpoints.load_tokenizer(tmp_path / name).encode("").ids == [2]
        again = tmp_path / f"{name}-again"
        stand_ins.opt(config, folder / "tokenizer.json", again)
        assert (again / "model.safetensors").read_bytes() == weights[0].read_bytes()


def test_not_one_of_nine_million_weights_is_zero_in_float16():
    """Some of as many normal ones would be: float16 ends at 6e-8."""
    layer = torch.nn.Linear(3000, 3000)
    stand_ins.fill(layer, 0)
    assert layer.weight.half().all()
    assert abs(layer.weight.std() - 0.02) < 0.002


def test_an_encoder_stand_in_scores_texts(opt_folders, tmp_path):
    stand_ins.roberta(
        opt_folders["pre"] / "tokenizer.json",
        tmp_path / "roberta",
        vocab_size=600,
        hidden_size=32,
        num_hidden_layers=3,
        num_attention_heads=2,
        intermediate_size=64,
    )
    record = {"id": "0", "prediction": "A bill. " * 400, "reference": "A bill.", "cut_off": False}
    same = {**record, "prediction": "A bill."}
    long, equal = similarity.score([record, same], tmp_path / "roberta", 2, 4)
    assert equal["bertscore"] > 0.999 > long["bertscore"] > 0
