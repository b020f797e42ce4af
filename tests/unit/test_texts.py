"""Cutting a long text before it is encoded changes no token."""

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tokens import real_tokenizer

from sparsesum import texts

BLOCKS = [
    "the", " Secretary", "'s", "'re", "'ll", "''", "'", " ", "  ", "\n", "\n\n    ", "\t", "(1)",
    "2026", "--", "----", "SEC.", "``", "</s>", "</", "s>", "<pad>", "<mask>", "<", "é", "e\u0301",
    "\u3000", "\u200b", "日本", "😀", "\x00", "\u2028", "a", "aaaaaaaa", "$1,234.56", ".",
]  # fmt: skip
LONG = st.lists(
    st.tuples(st.sampled_from(BLOCKS) | st.text(max_size=9), st.integers(1, 200)), max_size=60
).map(lambda blocks: texts.clean("".join(block * times for block, times in blocks)))


@pytest.fixture(scope="module", params=["small", "opt"])
def encoder(request, tokenizer):
    if request.param == "opt":
        return real_tokenizer(request.getfixturevalue("shared"))
    return tokenizer


def test_the_first_ids_are_those_of_the_whole_text(encoder):
    cut = 0

    @settings(max_examples=400, deadline=None, derandomize=True, database=None)
    @given(LONG, st.integers(1, 40))
    def same(text, limit):
        nonlocal cut
        whole = encoder.encode(text, add_special_tokens=False).ids
        assert texts.first_ids(encoder, text, limit) == whole[:limit]
        cut += len(text) > texts.FIRST + texts.EACH * limit

    same()
    assert cut > 50  # so many of them were cut


def test_every_place_of_a_cut(encoder, monkeypatch):
    """A short text that is cut behind each of its characters in turn."""
    monkeypatch.setattr(texts, "FIRST", 0)
    monkeypatch.setattr(texts, "EACH", 1)
    text = "".join(BLOCKS) + "".join(reversed(BLOCKS))
    whole = encoder.encode(text, add_special_tokens=False).ids
    for limit in range(1, len(whole) + 2):
        assert texts.first_ids(encoder, text, limit) == whole[:limit]


def test_a_word_without_end_is_not_encoded_whole(tokenizer):
    start = time.perf_counter()
    for word in ("a" * 10**7, "-" * 10**7, " " * 10**7, "ab" * 5_000_000):
        ids = texts.first_ids(tokenizer, word, 256)
        assert ids == tokenizer.encode(word[:50_000], add_special_tokens=False).ids[:256]
    assert time.perf_counter() - start < 20  # whole, it would be some 25 s and 2 GB


def test_no_text_and_no_limit(tokenizer):
    assert texts.first_ids(tokenizer, "", 5) == []
    assert texts.first_ids(tokenizer, "A bill", 0) == []
    assert texts.clean("\ud800a\udfff") == "?a?"
