"""What `batch_size: auto` stands for: estimates of memory against what was measured on a GPU."""

import json
from pathlib import Path
from types import SimpleNamespace

import pytest
import torch

from sparsesum.machine import memory

GPU = torch.device("cuda")
SHAPES = Path(__file__).resolve().parents[2] / "resources" / "paper"
VOCABULARY_AND_LAYERS = {"opt-125m": 124e6, "opt-350m": 331e6}


def shape(model: str) -> dict:
    return json.loads((SHAPES / f"{model}.json").read_text())


@pytest.fixture
def card(monkeypatch):
    """Pretend that there is a card of so many GiB."""

    def of(gib: float) -> None:
        found = SimpleNamespace(total_memory=gib * 2**30)
        monkeypatch.setattr(torch.cuda, "get_device_properties", lambda device: found)

    return of


def trained(model: str, kind: str, checkpointing: bool = False, loss: str = "sequence") -> int:
    parameters = VOCABULARY_AND_LAYERS[model] if kind == "full" else 2e6
    labelled = 1.0 if loss == "sequence" else 0.1
    half = kind != "full"
    return memory.of_training(
        GPU, shape(model), 1196, int(parameters), labelled, half, 16, checkpointing
    )


@pytest.mark.parametrize(
    ("model", "kind", "loss", "peak"),
    [  # 16 at a time, of 1,181 tokens, on an H100 or H200: docs/gpu.md
        ("opt-125m", "qlora", "sequence", 19.4),
        ("opt-350m", "qlora", "sequence", 33.9),
        ("opt-125m", "qlora", "summary", 7.5),
        ("opt-350m", "qlora", "summary", 17.6),
        ("opt-125m", "full", "sequence", 20.8),
    ],
)
def test_what_fits_by_the_estimate_fits(model, kind, loss, peak, card):
    """A card on which 16 fit by the estimate has more than was measured."""
    card(80)
    assert trained(model, kind, loss=loss) == 16
    least = next(
        gib for gib in range(1, 200) if not card(gib) and trained(model, kind, loss=loss) == 16
    )
    assert peak < least < 3 * peak


def test_a_small_card_takes_divisors_and_checkpoints_where_it_must(card):
    card(16)
    assert (trained("opt-125m", "qlora"), trained("opt-350m", "qlora")) == (8, 4)
    card(2)
    assert trained("opt-350m", "qlora") == 0
    card(4)
    assert trained("opt-350m", "qlora", checkpointing=True) >= 1


@pytest.mark.parametrize(
    ("model", "size", "peak"),
    [("opt-125m", 4, 12.2), ("opt-125m", 2, 6.2), ("opt-350m", 4, 27.9), ("opt-350m", 2, 13.9)],
)
def test_generation_takes_no_more_than_estimated(model, size, peak, card):
    def at_once() -> int:
        return memory.of_generation(GPU, shape(model), 1192, size, True, 100)

    card(80)
    assert at_once() == 100
    least = next(gib for gib in range(1, 200) if not card(gib) and at_once() == 100)
    assert peak < least < 2 * peak
    card(0.001)
    assert at_once() == 1


def test_a_cpu_takes_a_stated_number():
    cpu = torch.device("cpu")
    assert memory.of_generation(cpu, shape("opt-125m"), 500, 4, True, 100) == memory.ON_CPU
    assert memory.of_generation(cpu, shape("opt-125m"), 500, 4, True, 3) == 3
