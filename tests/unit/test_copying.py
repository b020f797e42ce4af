"""Copying and repetition, on texts whose figures can be counted by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsesum.scoring import copying
from tests.unit.test_fuzz import fuzz

SOURCE = "the county shall pay for the land and the county shall own it".split()
WORDS = st.lists(st.sampled_from("abc"), max_size=12)


def test_runs_are_the_longest_from_each_word():
    said = "the county shall own land".split()
    assert list(copying.runs(said, SOURCE)) == [4, 3, 2, 1, 1]
    assert list(copying.runs(["nothing"], SOURCE)) == [0]
    assert list(copying.runs([], SOURCE)) == list(copying.runs([], [])) == []
    assert list(copying.runs(["the"], [])) == [0]


def naive_fragments(summary: list[str], article: list[str]) -> list[tuple[int, int]]:
    """F(A, S) of Grusky et al. 2018 loop by loop, but for its jump over what has matched."""
    found, i = [], 0
    while i < len(summary):
        best, j = 0, 0
        while j < len(article):
            if summary[i] == article[j]:
                length = 0
                while (
                    i + length < len(summary)
                    and j + length < len(article)
                    and summary[i + length] == article[j + length]
                ):
                    length += 1
                best = max(best, length)
            j += 1
        if best:
            found.append((i, i + best))
        i += max(best, 1)
    return found


@fuzz(300)
@given(WORDS, WORDS)
def test_fragments_are_those_of_the_papers_algorithm(said, source):
    lengths = copying.runs(said, source)
    assert copying.fragments(lengths) == naive_fragments(said, source)


def test_a_fragment_is_the_longest_also_where_it_overlaps_itself_in_the_source():
    assert copying.fragments(copying.runs(list("aab"), list("aaab"))) == [(0, 3)]


@fuzz(300)
@given(WORDS, WORDS)
def test_a_words_longest_run_is_the_longest_of_all_that_hold_it(said, source):
    covering = copying.covering(copying.runs(said, source))
    text = f" {' '.join(source)} "
    for i in range(len(said)):
        held = [
            end - start
            for start in range(i + 1)
            for end in range(i + 1, len(said) + 1)
            if f" {' '.join(said[start:end])} " in text
        ]
        assert covering[i] == max(held, default=0)


def test_extraction():
    """Fragments of 4 and 1 words in 6: coverage 5/6, density (16 + 1)/6."""
    said = "the county shall own some land".split()
    found = copying.extraction(copying.runs(said, SOURCE), len(SOURCE))
    assert found == {"coverage": 5 / 6, "density": 17 / 6, "compression": 13 / 6}


def test_nothing_is_extracted_by_silence():
    found = copying.extraction(copying.runs([], SOURCE), len(SOURCE))
    assert all(math.isnan(value) for value in found.values()) and len(found) == 3


def test_novel():
    """Bigrams: the county, county buys, buys the (again) the county."""
    said = "the county buys the county".split()
    assert copying.novel(said, SOURCE, 1) == 1 / 3
    assert copying.novel(said, SOURCE, 2) == 2 / 3
    assert math.isnan(copying.novel(said, SOURCE, 6))


@pytest.mark.parametrize(
    ("text", "n", "share"),
    [
        ("a b c d", 2, 0.0),
        ("a b a b a b", 2, 3 / 5),  # ab ba ab ba ab
        ("a b a b a b", 4, 1 / 3),  # abab baba abab
        ("a a a a a", 1, 4 / 5),
    ],
)
def test_repeated(text, n, share):
    assert copying.repeated(text.split(), n) == pytest.approx(share)


def test_too_few_words_have_no_repetition():
    assert math.isnan(copying.repeated("a b c".split(), 4))


def test_repetitions_are_where_they_stand_again():
    said = "a b c d x a b c d y y b c d x z".split()
    assert copying.repetitions(said, 4) == [(5, 9), (11, 15)]
    assert copying.repetitions(said, 3) == [(5, 9), (11, 15)]
    assert copying.repetitions("a a a a a".split(), 2) == [(1, 5)]
    assert copying.repetitions([], 4) == []
    # Those that touch are one, those with a word between are not.
    assert copying.repetitions("a b x c d a b c d".split(), 2) == [(5, 9)]
    assert copying.repetitions("a b x c d a b y c d".split(), 2) == [(5, 7), (8, 10)]
