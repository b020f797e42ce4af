"""Predictions that summarise nothing: what a metric gives for copying, and for repetition."""

import re
from itertools import cycle, islice
from statistics import fmean
from typing import Any

from sparsesum.corpus.prompt import PAPER, Prompt, source_text

CHEATS = ("copy", "append", "repeat", "blank")


def first_sentence(text: str) -> str:
    """All up to the first . ! or ? before white space; the whole text where there is none."""
    return re.split(r"(?<=[.!?])\s", text.strip(), maxsplit=1)[0]


def cheat(
    generations: list[dict[str, Any]], prompts: list[str], template: Prompt = PAPER
) -> list[dict[str, Any]]:
    """The cheating predictions for each generation of a base row, in their order.

    A generation has id, prediction and reference; `prompts` are the texts that were asked. A result
    has id, source (the bill as read), reference, and CHEATS: copy (the source's opening), append
    (the prediction, and on a new line that opening), repeat (the prediction's first sentence, over
    and over; blank where the prediction is) and blank. Opening and repetition are as many words
    (split at white space) as the references have on average.
    """
    length = max(1, round(fmean(len(row["reference"].split()) for row in generations)))
    written = []
    for row, prompt in zip(generations, prompts, strict=True):
        source = source_text(prompt, template)
        opening = " ".join(source.split()[:length])
        said = row["prediction"]
        written.append(
            {
                "id": row["id"],
                "source": source,
                "reference": row["reference"],
                "copy": opening,
                "append": f"{said}\n{opening}",
                "repeat": " ".join(islice(cycle(first_sentence(said).split()), length)),
                "blank": "",
            }
        )
    return written
