"""Texts that a model has no positions for are refused before the first job."""

from pathlib import Path

import pytest
import yaml
from tokenizers import Tokenizer

from sparsesum.base.errors import InputError
from sparsesum.corpus import positions
from sparsesum.corpus.prompt import PAPER
from sparsesum.corpus.tokens import tokenise

ROOT = Path(__file__).resolve().parents[2]
CONFIG = yaml.safe_load((ROOT / "config" / "config.yaml").read_text())
MINI = ROOT / "resources" / "models" / "opt-125m-mini" / "tokenizer.json"


def lengths(text: int, summary: int, new: int = 1, length: int = 1) -> dict:
    return {
        "tokens": {"text": text, "summary": summary},
        "generate": {"max_new_tokens": new},
        "calibration": {"length": length},
    }


def test_the_prompts_tokens_are_those_of_a_text():
    asked, closing = positions.of_prompt(MINI, PAPER)
    record = {"id": "a", "text": "A" + " tax" * 600, "summary": "A" + " tax" * 600}
    made = tokenise(Tokenizer.from_file(str(MINI)), [record], 100, 50)
    assert len(made["prompt_ids"][0]) == asked + 100
    assert len(made["input_ids"][0]) + 1 == asked + 100 + 50 + closing


def test_what_fits_to_the_last_position_is_allowed():
    positions.check(lengths(80, 10, 20, 128), "m", 128, asked=28, closing=10, calibrates=True)


@pytest.mark.parametrize(
    ("config", "said"),
    [
        (
            lengths(81, 10),
            "key 'tokens': text 81 [+] summary 10 with 28 of the prompt and 10 of its end are 129 "
            "tokens, more than the 128 positions of m; allowed for text [+] summary: 90",
        ),
        (lengths(80, 1, 21), "'generate.max_new_tokens': 21 after .* 129 .* together: 100"),
        (lengths(8, 1, 2, 129), "key 'calibration.length': 129 is more than .* up to 128"),
    ],
)
def test_what_does_not_is_refused(config, said):
    with pytest.raises(InputError, match=said):
        positions.check(config, "m", 128, asked=28, closing=10, calibrates=True)


def test_calibration_matters_to_pruners_that_look_at_it():
    positions.check(lengths(8, 1, 2, 129), "m", 128, asked=28, closing=10, calibrates=False)


@pytest.mark.parametrize("content", [None, "{}", "no JSON"])
def test_without_a_tokenizer_there_is_nothing_to_count_with(content, tmp_path):
    if content:
        (tmp_path / "tokenizer.json").write_text(content)
    with pytest.raises(InputError, match="tokenizer.json: "):
        positions.of_prompt(tmp_path / "tokenizer.json", PAPER)


def test_the_default_fits_its_models():
    for model in CONFIG["models"]:
        positions.check(CONFIG, model, 512, *positions.of_prompt(MINI, PAPER), calibrates=True)
