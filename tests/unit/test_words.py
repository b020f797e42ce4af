"""Words as they stand and as they compare; known values."""

from sparsesum.scoring.words import forms, words


def test_a_word_keeps_what_stands_inside_it_and_loses_a_possessive_ending():
    text = "The County’s U.S. farms don’t pay $42,000.50; Maria's five-year plan."
    assert forms(text) == (
        ["the", "county", "u.s", "farms", "don’t", "pay", "42,000.50", "maria", "five-year", "plan"]
    )
    assert all(text[word.start : word.end] == word.surface for word in words(text))
