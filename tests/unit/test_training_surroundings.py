"""A training is what its settings say, wherever it is started from."""

import pytest
import torch
from safetensors.torch import load_file
from test_training_resume import SETTINGS
from trainings import tune

from sparsesum.base.errors import InputError

CPU = torch.device("cpu")


def trained(opt_folders, tokens, folder, **more) -> dict[str, torch.Tensor]:
    source = opt_folders["pre"]
    given = (source, tokens, source / "tokenizer.json")
    tune("full", given, folder / "made", SETTINGS | {"epochs": 1} | more)
    return load_file(folder / "made" / "model.safetensors")


@pytest.mark.parametrize(
    "left",
    [
        {"ACCELERATE_MIXED_PRECISION": "bf16"},  # of `accelerate launch`, or a profile
        {"RANK": "0", "LOCAL_RANK": "0", "WORLD_SIZE": "1"},  # of torchrun
        {"WORLD_SIZE": "2"},
        {"PMI_SIZE": "2", "PMI_RANK": "0"},  # of mpirun, and of srun --mpi=pmi2
        {"ACCELERATE_USE_DEEPSPEED": "true"},
    ],
    ids="-".join,
)
def test_what_a_launcher_left_in_the_environment_counts_for_nothing(
    left, opt_folders, tokens, tmp_path, monkeypatch
):
    expected = trained(opt_folders, tokens, tmp_path / "plain")
    for name, value in left.items():
        monkeypatch.setenv(name, value)
    found = trained(opt_folders, tokens, tmp_path / "left")
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


@pytest.mark.parametrize("more", [{"warmup_steps": 4}, {"effective_batch": 16, "batch_size": 16}])
def test_a_training_that_would_end_while_it_warms_up_is_refused(
    more, opt_folders, tokens, tmp_path
):
    """Its learning rate would not be reached; that of a first step of warm-up is 0."""
    said = r"warmup_steps is \d, and the training has [14] steps?; allowed"
    with pytest.raises(InputError, match=said):
        trained(opt_folders, tokens, tmp_path / "short", **more)


def test_the_least_training_beyond_its_warm_up(opt_folders, tokens, tmp_path):
    before = load_file(opt_folders["pre"] / "model.safetensors")
    after = trained(opt_folders, tokens, tmp_path / "short", warmup_steps=3)
    assert not torch.equal(after["model.decoder.layers.0.fc1.weight"],
                           before["model.decoder.layers.0.fc1.weight"])  # fmt: skip
