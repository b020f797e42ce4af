"""A text as words with their places: what copying, repetition and facts are found by."""

import re
from collections.abc import Iterator
from typing import NamedTuple

WORD = re.compile(r"[^\W_]+(?:[.,'’-][^\W_]+)*")
"""Letters and digits; inside, not at an end, also what 42,000.50, U.S, five-year and don't have."""


class Word(NamedTuple):
    """A word as it stands in its text, and the string indices where it begins and ends."""

    surface: str
    start: int
    end: int

    @property
    def form(self) -> str:
        """What equal words have in common: lower case, no possessive ending."""
        return self.surface.lower().removesuffix("'s").removesuffix("’s")


def words(text: str) -> list[Word]:
    """The words of a text, in its order."""
    return [Word(found.group(), *found.span()) for found in WORD.finditer(text)]


def forms(text: str) -> list[str]:
    """The words of a text, in its order, as they compare."""
    return [word.form for word in words(text)]


def ngrams(sequence: list[str], n: int) -> Iterator[tuple[str, ...]]:
    """All runs of `n` words, in their order; none where there are fewer."""
    return zip(*(sequence[start:] for start in range(n)), strict=False)
