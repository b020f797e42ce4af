"""Pruning on a GPU: as on the CPU, the same bytes twice, and from wherever it was broken off."""

from pathlib import Path

import oracles
import pytest
import torch
from safetensors.torch import load_file

from sparsesum.experiment import patterns
from sparsesum.models import checkpoints, linears, tensorfile
from sparsesum.pruning import checks, layerwise, reconstruction
from sparsesum.pruning.pruners import magnitude, sparsegpt, wanda

CPU = torch.device("cpu")
PRUNERS = {"magnitude": magnitude, "wanda": wanda, "sparsegpt": sparsegpt}


@pytest.fixture(scope="module", params=["pre", "post"])
def dense(request, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp(request.param) / "dense"
    checkpoints.save(oracles.make_model(request.param), folder)
    return folder


def prune(dense, draft, name, pattern, exact, where, **more) -> bytes:
    options = {"block": oracles.BLOCK} if name == "sparsegpt" else {}
    sequences = oracles.make_sequences()
    pattern = patterns.parse(pattern)
    layerwise.prune(dense, draft, sequences, PRUNERS[name], pattern, options, exact, where, **more)
    checks.check(tensorfile.TensorFile(draft / "model.safetensors"), pattern)
    return (draft / "model.safetensors").read_bytes()


def masks_differ(one: Path, other: Path) -> float:
    """The share of the decoder Linears' weights that are zero in one of two alone."""
    one, other = (load_file(folder / "model.safetensors") for folder in (one, other))
    names = linears.weights(one)
    count = sum(int(((one[n] == 0) != (other[n] == 0)).sum()) for n in names)
    return count / sum(one[n].numel() for n in names)


@pytest.mark.parametrize("pattern", ["50%", "2:4", "4:8"])
@pytest.mark.parametrize("name", PRUNERS)
def test_masks_are_the_cpus_and_bytes_those_of_a_second_run(dense, name, pattern, gpu, tmp_path):
    for exact in (True, False):
        kind = "exact" if exact else "fast"
        prune(dense, tmp_path / f"cpu-{kind}", name, pattern, exact, CPU)
        first = prune(dense, tmp_path / f"gpu-{kind}", name, pattern, exact, gpu)
        assert first == prune(dense, tmp_path / f"again-{kind}", name, pattern, exact, gpu)
        # Float sums run in another order there: a tie may go the other way.
        assert masks_differ(tmp_path / "cpu-exact", tmp_path / f"gpu-{kind}") < 0.02


def test_a_walk_that_is_broken_off_goes_on_to_the_same_bytes(dense, gpu, tmp_path):
    whole = prune(dense, tmp_path / "whole", "sparsegpt", "2:4", False, gpu)

    def broken(done: int, text: str) -> None:
        if done == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prune(dense, tmp_path / "draft", "sparsegpt", "2:4", False, gpu, report=broken)
    done = []
    again = prune(
        dense, tmp_path / "draft", "sparsegpt", "2:4", False, gpu,
        report=lambda number, text: done.append(number),
    )  # fmt: skip
    assert done == [2, 3] and again == whole


@pytest.mark.parametrize("place", ["host", "disk"])
def test_wherever_the_layers_inputs_lie(dense, place, gpu, tmp_path, monkeypatch):
    here = prune(dense, tmp_path / "here", "wanda", "2:4", False, gpu)
    if place == "host":
        monkeypatch.setattr(torch.cuda, "mem_get_info", lambda device: (0, 0))
    else:
        monkeypatch.setattr(layerwise, "ROOM", 0)
    assert prune(dense, tmp_path / "there", "wanda", "2:4", False, gpu) == here


def test_reconstruction_errors_are_the_cpus(dense, gpu, tmp_path):
    prune(dense, tmp_path / "pruned", "wanda", "2:4", True, CPU)
    found = [
        reconstruction.errors(
            dense,
            tmp_path / "pruned" / "model.safetensors",
            oracles.make_sequences(3),
            tmp_path / "scratch",
            where,
        )
        for where in (CPU, gpu)
    ]
    for here, there in zip(*found, strict=True):
        assert there["error"] == pytest.approx(here["error"], rel=1e-3)
        assert (there["layer"], there["linear"]) == (here["layer"], here["linear"])
