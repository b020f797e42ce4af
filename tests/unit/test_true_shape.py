"""OPT-125m at its true shape, with random weights: the paper's counts, to the parameter."""

import shutil
from pathlib import Path

import pytest
import torch
from peft import LoraConfig, get_peft_model
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.experiment import patterns
from sparsesum.models import checkpoints, linears, quantisation, sizes
from sparsesum.pruning import checks, layerwise
from sparsesum.pruning.pruners import wanda

OPT_125M = OPTConfig()
"""transformers' defaults are facebook/opt-125m's shape."""


@pytest.fixture(scope="module")
def stand_in(tmp_path_factory) -> Path:
    """A source folder of opt-125m's shape without zeros, and without any after rounding to int8.

    Fresh OPT biases and the padding row of the embedding would be zero.
    """
    folder = tmp_path_factory.mktemp("opt-125m")
    torch.manual_seed(0)
    model = OPTForCausalLM(OPT_125M)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.normal_(std=0.02)
            parameter.add_(torch.where(parameter < 0, -0.01, 0.01))
    checkpoints.save(model, folder)
    return folder


@pytest.mark.long("a model of 125 million parameters")
def test_counts_of_the_dense_model(stand_in):
    file = stand_in / "model.safetensors"
    assert sizes.parameters([file]) == 125_239_296
    assert sizes.nonzero_parameters([file]) == 125_239_296


@pytest.mark.long("a model of 125 million parameters")
def test_counts_of_wanda_at_half_with_a_qkv_adapter_of_rank_16(stand_in, tmp_path: Path):
    torch.manual_seed(1)
    sequences = torch.randint(4, OPT_125M.vocab_size, (2, 24))
    layerwise.prune(stand_in, tmp_path / "pruned", sequences, wanda, patterns.parse("50%"), {})
    before = checkpoints.state(tmp_path / "pruned")
    names = linears.weights(before)
    assert sum(before[name].numel() for name in names) == 84_934_656

    base = quantisation.load(tmp_path / "pruned", torch.device("cpu"))
    checkpoints.save(base, tmp_path / "base")
    assert checks.check_kept(before, checkpoints.state(tmp_path / "base")) == 42_467_328
    adapted = get_peft_model(
        base, LoraConfig(r=16, lora_alpha=32, target_modules=["q_proj", "k_proj", "v_proj"])
    )
    with torch.no_grad():
        for name, parameter in adapted.named_parameters():
            if "lora_B" in name:  # as training would: a fresh adapter's B is zero
                parameter.normal_(std=0.01)
    adapted.save_pretrained(tmp_path / "adapter")
    files = [
        tmp_path / "base" / "model.safetensors",
        tmp_path / "adapter" / "adapter_model.safetensors",
    ]
    assert sizes.parameters(files[1:]) == 884_736
    assert sizes.parameters(files) == 126_124_032
    assert sizes.nonzero_parameters(files) == 83_656_704
    shutil.rmtree(tmp_path / "base")


def test_the_real_vocabulary_fits_the_embedding(shared, stand_in):
    for name in ("vocab.json", "merges.txt"):
        shutil.copy(shared / "opt_tokenizer" / name, stand_in / name)
    tokenizer = checkpoints.load_tokenizer(stand_in)
    assert tokenizer.encode("A photo of a cat").ids == [2, 250, 1345, 9, 10, 4758]
    assert tokenizer.get_vocab_size() <= OPT_125M.vocab_size
