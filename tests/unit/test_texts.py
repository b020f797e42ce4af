"""Cutting a long text before it is encoded changes no token."""

import subprocess
import sys
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from test_tokens import real_tokenizer

from sparsesum.corpus import texts
from sparsesum.corpus.surrogates import clean

BLOCKS = [
    "the", " Secretary", "'s", "'re", "'ll", "''", "'", " ", "  ", "\n", "\n\n    ", "\t", "(1)",
    "2026", "--", "----", "SEC.", "``", "</s>", "</", "s>", "<pad>", "<mask>", "<", "é", "e\u0301",
    "\u3000", "\u200b", "日本", "😀", "\x00", "\u2028", "a", "aaaaaaaa", "$1,234.56", ".",
]  # fmt: skip
LONG = st.lists(
    st.tuples(st.sampled_from(BLOCKS) | st.text(max_size=9), st.integers(1, 200)), max_size=60
).map(lambda blocks: clean("".join(block * times for block, times in blocks)))


@pytest.fixture(scope="module", params=["small", "opt"])
def encoder(request, tokenizer):
    if request.param == "opt":
        return real_tokenizer(request.getfixturevalue("shared"))
    return tokenizer


@pytest.mark.long("encodes megabytes")
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
    """A short text that is cut behind each of its characters, and all ids before the cut asked for.

    "'re" is a word; cut to "'r" it is two, so that the last word but one is another, too.
    """
    text = "".join(BLOCKS) + "".join(reversed(BLOCKS))
    whole = encoder.encode(text, add_special_tokens=False).ids
    monkeypatch.setattr(texts, "EACH", 0)
    for reach in range(1, len(text) + 1):
        monkeypatch.setattr(texts, "FIRST", reach)
        there = len(encoder.encode(text[:reach], add_special_tokens=False).ids)
        for limit in range(max(1, there - 3), there + 1):
            assert texts.first_ids(encoder, text, limit) == whole[:limit], text[:reach][-20:]


def test_a_word_without_end_is_not_encoded_whole(tokenizer):
    start = time.perf_counter()
    for word in ("a" * 10**7, "-" * 10**7, " " * 10**7, "ab" * 5_000_000):
        ids = texts.first_ids(tokenizer, word, 256)
        assert ids == tokenizer.encode(word[:50_000], add_special_tokens=False).ids[:256]
    assert time.perf_counter() - start < 20  # whole, it would be some 25 s and 2 GB


def test_ten_megabytes_of_one_word_need_little_memory(tokenizer, tmp_path):
    """In a process of its own: tokens and held-out text; encoded whole, 2 GB."""
    tokenizer.save(str(tmp_path / "tokenizer.json"))
    program = r"""if True:
        import re, sys
        from pathlib import Path
        from tokenizers import Tokenizer
        from sparsesum.corpus import heldout, tokens
        tokenizer, bill = Tokenizer.from_file(sys.argv[1]), "a" * 10**7
        tokens.tokenise(tokenizer, [{"id": "x", "text": bill, "summary": bill}], 1024, 128)
        heldout.sequences(tokenizer, [bill], 4, 256, 0, 512)
        # Of this program alone: getrusage counts what its parent had before.
        print(re.search(r"VmHWM:\s*(\d+) kB", Path("/proc/self/status").read_text())[1])
    """
    done = subprocess.run(
        [sys.executable, "-c", program, tmp_path / "tokenizer.json"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert int(done.stdout) / 2**10 < 400


def test_no_text_and_no_limit(tokenizer):
    assert texts.first_ids(tokenizer, "", 5) == []
    assert texts.first_ids(tokenizer, "A bill", 0) == []
    assert clean("\ud800a\udfff") == "?a?"
