"""Held-out text: the bills themselves, cut to one length."""

import subprocess
import sys

import pytest

from sparsesum.base.errors import InputError
from sparsesum.corpus import heldout

TEXTS = [f"Section {n}. The Secretary of Labor shall pay {n}00 dollars." for n in range(1, 9)]


def test_texts_as_they_are_joined_in_another_order(tokenizer):
    rows = heldout.sequences(tokenizer, TEXTS, count=6, length=16, seed=0, positions=16)
    assert [len(row) for row in rows] == [16] * 6
    stream = [token for row in rows for token in row]
    documents = "".join(tokenizer.decode(stream, skip_special_tokens=False)).split("</s>")
    assert documents[0] == ""
    assert all(document in TEXTS for document in documents[1:-1])
    assert len(documents) > 4 and documents[1:-1] != TEXTS[: len(documents) - 2]
    again = heldout.sequences(tokenizer, TEXTS, count=6, length=16, seed=0, positions=16)
    other = heldout.sequences(tokenizer, TEXTS, count=6, length=16, seed=1, positions=16)
    assert rows == again != other


def test_too_little_text_names_the_keys_and_the_split(tokenizer):
    said = r"heldout asks for 99 sequences of 16 .*, the test split has .*; lower heldout.sequences"
    with pytest.raises(InputError, match=said):
        heldout.sequences(tokenizer, TEXTS, count=99, length=16, seed=0, positions=16)


def test_sequences_longer_than_the_model_are_refused(tokenizer):
    with pytest.raises(InputError, match="heldout.length = 16 exceeds the model's 15 positions"):
        heldout.sequences(tokenizer, TEXTS, count=1, length=16, seed=0, positions=15)


def test_a_lone_surrogate_is_no_fault(tokenizer):
    rows = heldout.sequences(tokenizer, ["a\ud800b " * 9], count=1, length=8, seed=0, positions=8)
    assert len(rows[0]) == 8


def test_neither_torch_nor_transformers_is_loaded():
    heavy = "{'torch', 'transformers'} & {*sys.modules}"
    code = f"import sys; from sparsesum.corpus import heldout; sys.exit(bool({heavy}))"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
