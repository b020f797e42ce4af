"""Parameters counted by arithmetic, beside those that torch has."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from sparsesum.models import parameters, shapes

RESOURCES = Path(__file__).resolve().parents[2] / "resources"
CONFIGS = [
    *sorted((RESOURCES / "paper").glob("opt-*.json")),
    *sorted((RESOURCES / "models").glob("*/config.json")),
]


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: f"{path.parent.name}-{path.stem}")
def test_parameters_are_those_of_the_model(path: Path) -> None:
    config = json.loads(path.read_text())
    assert parameters.count(config) == shapes.counts(config, 16, ["q_proj"]).parameters


@pytest.mark.parametrize(
    "change",
    [
        {"word_embed_proj_dim": 64},
        {"do_layer_norm_before": False},
        {"num_hidden_layers": 3, "ffn_dim": 96},
        {"vocab_size": 50272, "max_position_embeddings": 2048},
        {"tie_word_embeddings": False, "word_embed_proj_dim": 64},
        {"enable_bias": False},
        {"layer_norm_elementwise_affine": False},
    ],
)
def test_each_part_of_the_shape_counts(change: dict) -> None:
    config = json.loads((RESOURCES / "models" / "opt-125m-mini" / "config.json").read_text())
    changed = config | change
    assert parameters.count(changed) == shapes.counts(changed, 16, ["q_proj"]).parameters
    assert parameters.count(changed) != parameters.count(config)


def test_a_config_of_something_else_is_a_key_error() -> None:
    with pytest.raises(KeyError):
        parameters.count({"model_type": "roberta"})


def test_counting_loads_no_torch() -> None:
    code = "import sys; from sparsesum.models import parameters; sys.exit('torch' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
