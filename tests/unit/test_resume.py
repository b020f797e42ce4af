"""A walk that is killed, wherever it was, is resumed and ends with the same bytes."""

import logging
import os
import signal
import subprocess
import sys
from pathlib import Path

import oracles
import pytest
import torch
from safetensors.torch import save_file

from sparsesum.experiment.patterns import parse
from sparsesum.models import checkpoints
from sparsesum.pruning import layerwise
from sparsesum.pruning.pruners import sparsegpt

LAYERS = 4
KILLED = """
import os, signal, sys
from pathlib import Path
from safetensors.torch import load_file
import torch
torch.set_num_threads(1)
from sparsesum.pruning import layerwise
from sparsesum.experiment.patterns import parse
from sparsesum.pruning.pruners import sparsegpt

folder, place, when = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3])
module, name = {
    "pruned": (layerwise, "_silent"),
    "feeding": (layerwise.Inputs, "write"),
    "writing": (layerwise.TensorFile, "__setitem__"),
}[place]
inner, calls = getattr(module, name), 0

def deadly(*args, **kwargs):
    global calls
    calls += 1
    if calls > when:
        if place == "feeding":
            inner(args[0], args[1], (x for i, x in enumerate(args[2]) if i < 2 or die()))
        die()
    return inner(*args, **kwargs)

def die():
    os.kill(os.getpid(), signal.SIGKILL)

setattr(module, name, deadly)
sequences = load_file(folder / "sequences.safetensors")["ids"]
layerwise.prune(folder / "dense", folder / "draft", sequences, sparsegpt, parse("2:4"),
                {"block": 8}, exact=True, report=layerwise._silent)
"""


@pytest.fixture(scope="module", params=["pre", "post"])
def folder(request, tmp_path_factory) -> Path:
    """A dense model, calibration sequences, and what an undisturbed walk makes of them."""
    folder = tmp_path_factory.mktemp(request.param)
    checkpoints.save(oracles.make_model(request.param, layers=LAYERS), folder / "dense")
    save_file({"ids": oracles.make_sequences()}, folder / "sequences.safetensors")
    prune(folder, folder / "undisturbed")
    return folder


def prune(folder: Path, draft: Path) -> list[int]:
    """The numbers of the layers done, as they were."""
    done = []
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    layerwise.prune(
        folder / "dense",
        draft,
        oracles.make_sequences(),
        sparsegpt,
        parse("2:4"),
        {"block": 8},
        exact=True,
        report=lambda number, text: done.append(number),
    )
    torch.set_num_threads(threads)
    return done


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.long("a process with torch for each place where it is killed")
@pytest.mark.parametrize(
    ("place", "when", "first"),
    [
        ("pruned", 0, 1),  # layer 0 pruned and written, layer 1 not yet fed
        ("pruned", 2, 3),
        ("pruned", 3, 4),
        ("feeding", 0, 1),  # no inputs at all
        ("feeding", 2, 2),  # two of eight sequences of layer 2's inputs written
        ("writing", 9, 2),  # three of layer 1's six Linears written
    ],
)
def test_killed(folder, place, when, first, caplog):
    command = [sys.executable, "-c", KILLED, folder, place, str(when)]
    ended = subprocess.run(list(map(str, command)), env=os.environ, capture_output=True)
    assert ended.returncode == -signal.SIGKILL, ended.stderr
    with caplog.at_level(logging.INFO):
        done = prune(folder, folder / "draft")
    none = (place, when) == ("feeding", 0)
    assert caplog.messages == ([] if none else [f"resuming from layer {first - 1} of 4"])
    assert done == list(range(first, LAYERS + 1))
    assert content(folder / "draft") == content(folder / "undisturbed")


def test_one_layers_inputs_are_kept_and_no_more(folder):
    kept = []
    draft = folder / "watched"

    def look(number: int, text: str) -> None:
        kept.append(sorted(path.name for path in (draft / "inputs").iterdir()))

    sequences = oracles.make_sequences()
    layerwise.prune(folder / "dense", draft, sequences, sparsegpt, parse("2:4"), {}, report=look)
    assert kept == [[f"{index}.f32"] for index in range(LAYERS)]
    assert not (draft / "inputs").exists()


def test_the_last_complete_inputs_count(tmp_path: Path):
    # As a kill leaves them between two steps: the next layer's are complete, the old still there.
    assert layerwise.Inputs(tmp_path, exact=True).layer is None
    for name in ("9.f32", "10.f32", "11.part"):
        (tmp_path / name).touch()
    assert layerwise.Inputs(tmp_path, exact=True).layer == 10
