"""What of a prediction its source bears out, what it copies, and what it repeats.

`fact_f1` sums it up: a score that neither copying the source, nor repeating, nor silence raises.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Callable, Collection, Iterable
from typing import TYPE_CHECKING, Any

from sparsesum.scoring.copying import (
    NAN,
    Span,
    covering,
    extraction,
    fragments,
    novel,
    repeated,
    repetitions,
    runs,
)
from sparsesum.scoring.facts import KINDS, Evidence, Fact, facts, ordinary_words
from sparsesum.scoring.words import Word, forms

if TYPE_CHECKING:
    from numpy import ndarray

METRICS = (
    "fact_f1",
    "unsupported",
    "recalled",
    "rep_2",
    "rep_3",
    "rep_4",
    "coverage",
    "density",
    "longest_copy",
    "novel_1",
    "novel_2",
    "novel_3",
    "novel_4",
    "length_ratio",
    "compression",
)
"""Whose means stand in the tables; the others are counts."""

COPIED = 8
"""A run of more words than this is copied, unless the reference copies as many in a row."""
SHOWN = 4
"""For the eye: copied and repeated words are marked from so many in a row on."""


def ground(
    records: list[dict[str, Any]], bills: list[dict[str, Any]]
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """The figures and the marks of each generation, in the order of `records`.

    A record has id, prediction and reference; a bill of the split has id, text and summary.
    Figures: id; words (of the prediction); METRICS, in 0..1 but for longest_copy and density
    (words), length_ratio and compression; facts and reference_facts, how many different ones; and
    for each kind of fact how many the prediction has, how many of them the bill has not
    (unsupported_KIND), how many the reference has, and how many of those the prediction
    (recalled_KIND). A figure is NaN where it has no value: shares of facts where there is none,
    shares of n-grams in fewer than n words, all that is per word of a blank prediction. Marks: as
    `marks` gives them.
    """
    texts = {bill["id"]: bill["text"] for bill in bills}
    ordinary = ordinary_words([*texts.values(), *(bill["summary"] for bill in bills)])
    known: dict[str, tuple[list[str], Evidence]] = {}
    figures, marked = [], []
    for record in records:
        name = record["id"]
        if name not in known:
            # A bill's lines are broken anywhere, also inside its facts.
            known[name] = forms(texts[name]), Evidence(texts[name].replace("\n", " "))
        found = Reading(record["prediction"], record["reference"], *known[name], ordinary)
        figures.append({"id": name, **found.figures()})
        marked.append({"id": name, **found.marks()})
    return figures, marked


class Reading:
    """One prediction beside its source and its reference."""

    def __init__(
        self,
        prediction: str,
        reference: str,
        source: list[str],
        evidence: Evidence,
        ordinary: Collection[str],
    ) -> None:
        self.source, self.evidence = source, evidence
        self.said, self.wanted = Evidence(prediction), Evidence(reference)
        self.facts, self.reference_facts = facts(prediction, ordinary), facts(reference, ordinary)
        self.words, self.runs = self._compared(self.said.words)
        self.reference_words, self.reference_runs = self._compared(self.wanted.words)

    def _compared(self, words: list[Word]) -> tuple[list[str], "ndarray"]:
        of_text = [word.form for word in words]
        return of_text, runs(of_text, self.source)

    def figures(self) -> dict[str, float]:
        """All figures that `ground` names but the id."""
        own, wanted = _distinct(self.facts), _distinct(self.reference_facts)
        counts: dict[str, float] = {"facts": len(own), "reference_facts": len(wanted)}
        for kind in KINDS:
            stated = [fact for fact in own if fact.kind == kind]
            due = [fact for fact in wanted if fact.kind == kind]
            counts[f"facts_{kind}"] = len(stated)
            counts[f"unsupported_{kind}"] = sum(fact not in self.evidence for fact in stated)
            counts[f"reference_facts_{kind}"] = len(due)
            counts[f"recalled_{kind}"] = sum(fact in self.said for fact in due)
        length = len(self.reference_words)
        return {
            "words": len(self.words),
            "fact_f1": self.fact_f1(),
            "unsupported": _share(own, lambda fact: fact not in self.evidence),
            "recalled": _share(wanted, lambda fact: fact in self.said),
            **{f"rep_{n}": repeated(self.words, n) for n in (2, 3, 4)},
            "longest_copy": int(self.runs.max(initial=0)),
            **{f"novel_{n}": novel(self.words, self.source, n) for n in (1, 2, 3, 4)},
            "length_ratio": len(self.words) / length if length else NAN,
            **extraction(self.runs, len(self.source)),
            **counts,
        }

    def fact_f1(self) -> float:
        """How well the prediction states the reference's facts in its own words, 0..1.

        The harmonic mean of recall (the share of the reference's facts that the prediction states)
        and precision (the share of the prediction's facts that the reference states). A statement
        inside a copied run earns nothing, and counts as wrong: one of more than COPIED words that
        stand so in the source, and of more than the reference copies. So do further statements of
        a fact, past those that the reference makes. A blank prediction has 0, the reference 1; NaN
        where the reference has no facts. On lines of their own, text copied in such a run, and the
        whole prediction once more, cannot raise it. Shorter runs can, also pieces of a copied one:
        they are its own words.
        Source: this project's; the F1 of prec_t and recall_t in Nan et al. 2021 (arXiv 2102.09130),
        made proof against copying and repetition.
        """
        wanted = _distinct(self.reference_facts)
        if not wanted:
            return NAN
        allowed = max(COPIED, int(self.reference_runs.max(initial=0)))
        copied = covering(self.runs) > allowed

        def own_words(span: Span) -> bool:
            """Whether the prediction says this itself; over a line's end nothing is said."""
            over = "\n" in self.said.text[slice(*span)]
            return not over and not copied[self._inside(span)].any()

        stated_often = Counter(fact.key for fact in self.facts)
        wanted_often = Counter(fact.key for fact in self.reference_facts)
        surplus = sum(
            count - max(1, wanted_often[key])
            for key, count in stated_often.items()
            if count > max(1, wanted_often[key])
        )
        stated = [fact for fact in self.facts if own_words((fact.start, fact.end))]
        right = len({fact.key for fact in stated if fact in self.wanted})
        found = sum(any(map(own_words, self.said.spans(fact))) for fact in wanted)
        if not right or not found:
            return 0.0
        precision, recall = right / (len(stated_often) + surplus), found / len(wanted)
        return 2 * precision * recall / (precision + recall)

    def _inside(self, span: Span) -> slice:
        """The words of the prediction that a stretch of its text touches."""
        first = bisect_right(self.said.words, span[0], key=lambda word: word.end)
        return slice(first, bisect_left(self.said.words, span[1], key=lambda word: word.start))

    def marks(self) -> dict[str, Any]:
        """Where in the prediction something stands, as pairs of string indices.

        copied (with the number of words), repeated, and facts, supported and unsupported; in
        reference, facts of the reference, recalled and missed.
        """

        def place(run: Span) -> list[int]:
            return [self.said.words[run[0]].start, self.said.words[run[1] - 1].end]

        long = [run for run in fragments(self.runs) if run[1] - run[0] >= SHOWN]
        return {
            "copied": [[*place(run), run[1] - run[0]] for run in long],
            "repeated": [place(run) for run in repetitions(self.words, SHOWN)],
            "supported": _spans(fact for fact in self.facts if fact in self.evidence),
            "unsupported": _spans(fact for fact in self.facts if fact not in self.evidence),
            "reference": {
                "recalled": _spans(f for f in self.reference_facts if f in self.said),
                "missed": _spans(f for f in self.reference_facts if f not in self.said),
            },
        }


def _distinct(found: list[Fact]) -> list[Fact]:
    """The different facts, each as it was stated first."""
    return list({fact.key: fact for fact in reversed(found)}.values())[::-1]


def _share(found: list[Fact], mark: Callable[[Fact], bool]) -> float:
    return sum(map(mark, found)) / len(found) if found else NAN


def _spans(found: Iterable[Fact]) -> list[list[int]]:
    return [[fact.start, fact.end] for fact in found]
