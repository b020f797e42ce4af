"""Patterns: what is spelt how, and what is refused."""

import pytest

from sparsesum.base.errors import InputError
from sparsesum.experiment.patterns import Pattern, parse


@pytest.mark.parametrize(
    ("text", "pattern", "name"),
    [
        ("50%", Pattern(0.5), "50"),
        (" 30 % ", Pattern(0.3), "30"),
        ("12.5%", Pattern(0.125), "12.5"),
        ("99%", Pattern(0.99), "99"),
        ("2:4", Pattern(0.5, 2, 4), "2of4"),
        ("4:8", Pattern(0.5, 4, 8), "4of8"),
        ("1:4", Pattern(0.75, 1, 4), "1of4"),
        ("3:16", Pattern(0.8125, 3, 16), "3of16"),
    ],
)
def test_parses_and_names(text, pattern, name):
    assert pattern.pruned == round(pattern.ratio * pattern.m)
    assert parse(text) == pattern
    assert parse(text).name == name


@pytest.mark.parametrize(
    "text",
    ["", "50", "0.5", "0%", "100%", "-5%", "150%", "1e1%", "%", "0:4", "4:4", "5:4", "2:", ":4"]
    + ["2:4:8", "2/4", "2.0:4", "2:4%", "half", "nan%", "02:4"],
)
def test_refuses_and_says_what_is_allowed(text):
    with pytest.raises(InputError) as caught:
        parse(text)
    assert f"'{text}'" in str(caught.value)
    assert "50%" in str(caught.value) and "2:4" in str(caught.value)
