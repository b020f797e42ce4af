"""How much of a text is copied from another, and how much of it repeats itself."""

from typing import TYPE_CHECKING

from sparsesum.scoring.words import ngrams

if TYPE_CHECKING:
    from numpy import ndarray

NAN = float("nan")
Span = tuple[int, int]
"""The first of some words, and the first after them."""


def runs(words: list[str], source: list[str]) -> "ndarray":
    """For each word how many words, from it on, stand somewhere in `source` in the same order.

    [words], int.
    """
    import numpy as np

    numbers: dict[str, int] = {}
    source_ids = np.array([numbers.setdefault(word, len(numbers)) for word in source], dtype=int)
    lengths = np.zeros(len(words), dtype=int)
    # after[j]: how many words from the next of `words` on are those of the source from j on.
    after = np.zeros(len(source) + 1, dtype=int)
    for i in reversed(range(len(words))):
        same = source_ids == numbers.get(words[i], -1)
        after[:-1] = np.where(same, after[1:] + 1, 0)
        lengths[i] = after.max()
    return lengths


def fragments(lengths: "ndarray") -> list[Span]:
    """The extractive fragments: from left to right, always the longest run, no word in two.

    Source: Grusky et al. 2018, "Newsroom", F(A, S). Its loop goes on behind a match and so can miss
    the longest run (a a b in a a a b); here none is missed.
    """
    found, place = [], 0
    while place < len(lengths):
        if length := int(lengths[place]):
            found.append((place, place + length))
        place += max(length, 1)
    return found


def extraction(lengths: "ndarray", source: int) -> dict[str, float]:
    """Coverage, density and compression of a summary; none of them has a value where it is blank.

    `lengths` are its `runs`; `source` is the number of words of its source. Coverage is the share
    of the summary's words in fragments; density the mean length of a word's fragment, in words;
    compression the source's words per word of the summary.
    Source: Grusky et al. 2018, equations 1 to 3.
    """
    if not len(lengths):
        return {"coverage": NAN, "density": NAN, "compression": NAN}
    sizes = [end - start for start, end in fragments(lengths)]
    return {
        "coverage": sum(sizes) / len(lengths),
        "density": sum(size**2 for size in sizes) / len(lengths),
        "compression": source / len(lengths),
    }


def covering(lengths: "ndarray") -> "ndarray":
    """For each word the length of the longest run that it is part of. [words], int."""
    import numpy as np

    # Of the runs that reach a word, the longest need not be the one that begins last.
    longest = np.zeros_like(lengths)
    for place, length in enumerate(lengths):
        stretch = longest[place : place + length]
        np.maximum(stretch, length, out=stretch)
    return longest


def novel(words: list[str], source: list[str], n: int) -> float:
    """The share of a text's different n-grams that its source has not; NaN where it has none.

    Source: See et al. 2017, "Get To The Point", section 7.2.
    """
    own = set(ngrams(words, n))
    return len(own - set(ngrams(source, n))) / len(own) if own else NAN


def repeated(words: list[str], n: int) -> float:
    """rep-n: 1 - different n-grams / n-grams; NaN where there is none.

    Source: Welleck et al. 2020, "Neural Text Generation with Unlikelihood Training", equation 10,
    here over words.
    """
    all_of_them = list(ngrams(words, n))
    return 1 - len(set(all_of_them)) / len(all_of_them) if all_of_them else NAN


def repetitions(words: list[str], n: int) -> list[Span]:
    """Where n-grams stand that stood before; those that touch are one."""
    seen: set[tuple[str, ...]] = set()
    found: list[Span] = []
    for place, ngram in enumerate(ngrams(words, n)):
        if ngram in seen:
            if found and found[-1][1] >= place:
                found[-1] = (found[-1][0], place + n)
            else:
                found.append((place, place + n))
        seen.add(ngram)
    return found
