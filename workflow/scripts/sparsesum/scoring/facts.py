"""The facts that a text states, as far as its surface tells them: numbers, years, amounts, names.

No model reads them, so that they are the same everywhere; what this misses is said at each rule.
"""

import re
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property

from text_to_num import find_numbers

from sparsesum.scoring.words import Word, forms, words

KINDS = ("number", "year", "amount", "quote", "name")

NUMBER = re.compile(
    r"(?:(?<![^\W_])|(?<=\bFY))(?!(?<=\()\d{1,3}\))(?P<dollar>\$[^\S\n]?)?"
    r"(?P<digits>\d{1,3}(?:,\d{3})+(?!\d)(?:\.\d+)?|\d{1,30}(?:\.\d+)?)"
    r"(?:(?:[^\S\n]|-)(?P<scale>thousand|million|billion|trillion)\b)?"
    r"(?P<dollars>[^\S\n]+dollars\b)?",
    re.IGNORECASE,
)
"""But not "(3)", the number of an item or paragraph."""
DOLLARS = re.compile(r"[^\S\n]+dollars\b", re.IGNORECASE)
LETTERS = re.compile(r"[^\W\d_]+")
SCALES = {"thousand": 10**3, "million": 10**6, "billion": 10**9, "trillion": 10**12}
YEARS = range(1700, 2101)
QUOTE = re.compile(r"“([^“”\n]{1,500})”|\"([^\"\n]{1,500})\"|``(.{1,500}?)''")
LINKS = ["of", "the"]
"""What may stand between two words of a name, in this order."""
ACRONYM = re.compile(r"[A-Z]{3,}")
NO_NAMES = {"fy"}
"""Fiscal year: the year behind it is the fact."""
SMALL = {"of", "the", "and", "for", "on", "in"}
"""What an acronym may leave out."""
SENTENCE_END = re.compile(r"[.!?:;]|\n|--|—|\s[-–]\s|\)\s|\(")
"""What between two words makes the second the first of a sentence, a heading or a list's item."""


@dataclass(frozen=True)
class Fact:
    """A fact, and the string indices where it stands. The same `key` is the same fact."""

    kind: str
    value: str
    start: int
    end: int
    acronym: bool = False

    @property
    def key(self) -> tuple[str, str]:
        """What two facts that are the same share: kind (years are numbers, quotes names), value."""
        same = {"year": "number", "quote": "name"}
        return same.get(self.kind, self.kind), self.value


def facts(text: str, ordinary: Collection[str]) -> list[Fact]:
    """All facts that a text states, in its order, each as often as it does; none runs over a line.

    `ordinary`: words in lower case that are no names though a sentence may begin with them
    (`ordinary_words`). "One" is no number here: it mostly is a pronoun.
    Source: the entities of Nan et al. 2021 (arXiv 2102.09130) by form; they take a trained tagger.
    """
    quotes = list(_quotes(text))
    found = [fact for fact in numbers(text) if (fact.kind, fact.value) != ("word", "1")]
    found = [_as_number(fact) for fact in found] + quotes
    found += [
        name
        for name in _names(text, ordinary)
        if not any(quote.start <= name.start < quote.end for quote in quotes)
    ]
    return sorted(found, key=lambda fact: (fact.start, fact.end))


def ordinary_words(texts: Collection[str]) -> set[str]:
    """The words that one of the texts writes in lower case."""
    return {word.surface for text in texts for word in words(text) if word.surface.islower()}


def numbers(text: str) -> Iterator[Fact]:
    """Numbers in digits ("42,000", "$1.5 million", "1999") and in words ("five hundred").

    The kind of one in words is "word". Ordinals in words are none; "101st" is 101. A number
    ends with its line.
    """
    said = set()
    for found in NUMBER.finditer(text):
        said.add(found.start("scale"))
        digits, scale = found["digits"].replace(",", ""), found["scale"]
        value = Decimal(digits) * SCALES.get((scale or "").lower(), 1)
        plain = digits == found["digits"] and digits.isdigit() and len(digits) == 4
        kind = "amount" if found["dollar"] or found["dollars"] else "number"
        if kind == "number" and plain and not scale and int(digits) in YEARS:
            kind = "year"
        yield Fact(kind, _plain(value), *found.span())
    tokens = [_Token(text, *found.span()) for found in LETTERS.finditer(text)]
    for found in find_numbers(tokens, "en", 0.0):
        start, end = tokens[found.start].start, tokens[found.end - 1].end
        if not found.is_ordinal and start not in said:
            dollars = DOLLARS.match(text, end)
            kind = "amount" if dollars else "word"
            value = Decimal(str(found.value))
            yield Fact(kind, _plain(value), start, dollars.end() if dollars else end)


def _plain(value: Decimal) -> str:
    """A number in one form: 5, 5.0 and 05 are the same."""
    return f"{value:f}".rstrip("0").rstrip(".") if "." in f"{value:f}" else f"{value:f}"


def _as_number(fact: Fact) -> Fact:
    return Fact("number", fact.value, fact.start, fact.end) if fact.kind == "word" else fact


def _with_gaps(text: str) -> Iterator[tuple[Word, str]]:
    """Each word with what stands between it and the word before."""
    end = 0
    for word in words(text):
        yield word, text[end : word.start]
        end = word.end


@dataclass
class _Token:
    """A word without its hyphens, as text2num asks for it."""

    whole: str
    start: int
    end: int

    def text(self) -> str:
        return self.whole[self.start : self.end]

    def nt_separated(self, previous: "_Token") -> bool:
        gap = self.whole[previous.end : self.start]
        return "\n" in gap or gap.strip() not in {"", "-"}

    def not_a_number_part(self) -> bool:
        return False


def _quotes(text: str) -> Iterator[Fact]:
    """What stands in double quotation marks."""
    for found in QUOTE.finditer(text):
        inside = next(group for group in found.groups() if group)
        if value := " ".join(forms(inside)):
            yield Fact("quote", value, *found.span())


def _names(text: str, ordinary: Collection[str]) -> Iterator[Fact]:
    """Runs of capitalised words, "of" and "of the" between two of them included.

    A sentence's first word counts if it is not an ordinary one and another of the run follows. So a
    single name that begins a sentence is missed, and so is what is written small.
    """
    for run, opens in _runs(text):
        if opens and (len(run) == 1 or run[0].form in ordinary):
            run = run[1:]
        while run and run[0].form in LINKS:
            run = run[1:]
        value = " ".join(word.form for word in run)
        if len(value) > 1 and value not in NO_NAMES:
            acronym = len(run) == 1 and bool(ACRONYM.fullmatch(run[0].surface))
            yield Fact("name", value, run[0].start, run[-1].end, acronym)


def _runs(text: str) -> Iterator[tuple[list[Word], bool]]:
    """Runs of capitalised words with their links, and whether each begins a sentence."""
    run: list[Word] = []
    links: list[Word] = []
    opens, previous = False, None
    for word, gap in _with_gaps(text):
        first = previous is None or _ends(gap, previous)
        capital = word.surface[0].isupper() and not any(map(str.isdigit, word.surface))
        linking = run and word.form in LINKS[len(links) : len(links) + 1]
        if run and (first or gap.strip() not in {"", ".", "&"} or not (capital or linking)):
            yield run, opens
            run, links = [], []
        if capital:
            opens = opens if run else first
            run += [*links, word]
            links = []
        elif run:
            links.append(word)
        previous = word
    if run:
        yield run, opens


def _ends(gap: str, word: Word) -> bool:
    """Whether a sentence ends with a word and the gap after it: not so "U.S. Code", "St. Louis"."""
    abbreviated = word.surface[0].isupper() and (len(word.surface) <= 2 or "." in word.surface)
    return bool(SENTENCE_END.search(gap)) and not (gap == ". " and abbreviated)


class Evidence:
    """A text in which facts are looked up."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.words = words(text)

    @cached_property
    def _joined(self) -> str:
        return f" {' '.join(word.form for word in self.words)} "

    @cached_property
    def _initials(self) -> str:
        """Of capitalised words in a row, small words between them left out."""
        found, end = "", 0
        for word in self.words:
            apart = self.text[end : word.start].strip() not in {"", "&", "-"}
            if word.surface[0].isupper():
                found += f" {word.form[0]}" if apart else word.form[0]
            elif apart or word.form not in SMALL:
                found += " "
            end = word.end
        return found

    @cached_property
    def _numbers(self) -> dict[tuple[str, str], list[Fact]]:
        found: dict[tuple[str, str], list[Fact]] = {}
        for fact in map(_as_number, numbers(self.text)):
            found.setdefault(fact.key, []).append(fact)
        return found

    @cached_property
    def _places(self) -> dict[str, list[int]]:
        found: dict[str, list[int]] = {}
        for place, word in enumerate(self.words):
            found.setdefault(word.form, []).append(place)
        return found

    def __contains__(self, fact: Fact) -> bool:
        """Whether the text says a fact: a number in any form; a name's words in a row.

        Of an acronym (three capitals or more) the initials are enough.
        """
        if fact.key[0] == "name":
            acronym = fact.acronym and fact.value in self._initials
            return acronym or f" {fact.value} " in self._joined
        return fact.key in self._numbers

    def spans(self, fact: Fact) -> list[tuple[int, int]]:
        """The string indices of each place where the text says a fact."""
        if fact.key[0] != "name":
            return [(said.start, said.end) for said in self._numbers.get(fact.key, [])]
        name = fact.value.split(" ")
        return [
            (self.words[place].start, self.words[place + len(name) - 1].end)
            for place in self._places.get(name[0], [])
            if [word.form for word in self.words[place : place + len(name)]] == name
        ]
