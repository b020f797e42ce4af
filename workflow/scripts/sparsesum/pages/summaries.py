"""Summaries of one bill by several rows, one under another; facts that the bill has not are marked.

As Markdown, a line of a table a row, and as plain text for a terminal.
"""

import re
import textwrap
from collections.abc import Callable
from typing import Any, NamedTuple

from sparsesum.pages.browse import shown
from sparsesum.scoring.facts import KINDS

WIDTH = 100
"""Columns of the plain text."""

# What means something to Markdown inside a line, or in a cell of a table.
_MARKUP = re.compile(r"[\\`*_\[\]<>|~&]")


class About(NamedTuple):
    """The bill: its name and characters; tokens.text; and the preset of the rows, with its note."""

    name: str
    characters: int
    text_tokens: int
    preset: str
    note: str


class Summary(NamedTuple):
    """What a row wrote of the bill, and where facts stand in it that the bill has not.

    read: the share of the bill that the model read, 0..1. seconds: of generation alone. facts,
    unsupported: different ones. spans: string indices in `text`, [start, end].
    """

    row: str
    text: str
    cut_off: bool
    read: float
    seconds: float
    facts: int
    unsupported: int
    spans: list[list[int]]


def of(row: str, record: dict[str, Any], figures: dict[str, Any], marks: dict[str, Any]) -> Summary:
    """A row's summary, from what `summarise` wrote and `grounding.ground` found in it."""
    return Summary(
        row=row,
        text=record["prediction"],
        cut_off=record["cut_off"],
        read=record["read"],
        seconds=record["seconds"],
        facts=figures["facts"],
        unsupported=sum(figures[f"unsupported_{kind}"] for kind in KINDS),
        spans=marks["unsupported"],
    )


def markdown(about: About, summaries: list[Summary]) -> str:
    """The page's text: what was summarised, and a table with a line a row."""
    lines = [
        f"# Summaries of {_escaped(about.name)}",
        f"A text of {about.characters:,} characters, summarised by rows of preset "
        f"{_escaped(shown(about.preset))}. {_escaped(' '.join(shown(about.note).split()))}",
        "Facts that are nowhere in the text are **bold**: numbers, years, amounts, quotes, names. "
        "Time is that of generation, without loading the model.",
        *_cut(about, summaries),
        "| Row | Summary | Facts not in the text | Read | Time [s] |\n|:--|:--|:--|:--|:--|\n"
        + "\n".join(_line(summary) for summary in summaries),
    ]
    return "\n\n".join(lines) + "\n"


def terminal(about: About, summaries: list[Summary]) -> str:
    """The same as plain text, a paragraph a row; facts that are not in the text stand >>so<<."""
    lines = [f"Summaries of {about.name}, {about.characters:,} characters"]
    lines += [textwrap.fill(line, WIDTH) for line in _cut(about, summaries)]
    for summary in summaries:
        facts = f"{_unsupported(summary)} facts not in the text"
        words = _marked(summary, lambda part: part, ">>", "<<") + _end(summary)
        lines.append(f"\n{summary.row}: {summary.seconds:.2f} s, read {_read(summary)}, {facts}")
        for line in words.split("\n"):
            lines += textwrap.wrap(line, WIDTH, initial_indent="  ", subsequent_indent="  ")
    if any(summary.spans for summary in summaries):
        lines.append("\nMarked >>so<<: a fact that is nowhere in the text.")
    return "\n".join(lines) + "\n"


def _cut(about: About, summaries: list[Summary]) -> list[str]:
    """A sentence where a row did not read all of the text."""
    if all(summary.read == 1 for summary in summaries):
        return []
    return [
        f"The text is cut: a model reads its first {about.text_tokens} tokens (key tokens.text), "
        "fewer where its positions end before, and knows nothing of the rest."
    ]


def _line(summary: Summary) -> str:
    words = _marked(summary, _escaped, "**", "**") + _end(summary)
    cells = [_escaped(summary.row), " ".join(words.split()), _unsupported(summary), _read(summary)]
    return f"| {' | '.join(cells)} | {summary.seconds:.2f} |"


def _unsupported(summary: Summary) -> str:
    return f"{summary.unsupported} of {summary.facts}"


def _read(summary: Summary) -> str:
    """The share that was read in whole percent: never 100 of less than all."""
    return "all" if summary.read == 1 else f"{max(1, int(summary.read * 100))} %"


def _end(summary: Summary) -> str:
    """What is said behind a summary that has no end, or is none."""
    if not summary.text:
        return "(blank)"
    return " ... (the limit of new tokens)" if summary.cut_off else ""


def _marked(summary: Summary, write: Callable[[str], str], before: str, after: str) -> str:
    """What a row wrote, `before` and `after` around each fact that the bill has not."""
    text, parts, end = shown(summary.text), [], 0
    for start, stop in summary.spans:
        start = max(start, end)  # a number may stand in a quote
        if start < stop:
            parts += [write(text[end:start]), before, write(text[start:stop]), after]
            end = stop
    return "".join([*parts, write(text[end:])])


def _escaped(text: str) -> str:
    """A text in Markdown as it is: none of its characters means anything there."""
    return _MARKUP.sub(r"\\\g<0>", text)
