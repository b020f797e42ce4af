"""Predictions that summarise nothing: what a metric gives for copying, and for repetition."""

import re
from itertools import cycle, islice
from statistics import fmean

from sparsesum.prompt import PAPER, Prompt, source_text

CHEATS = ("copy", "repeat")


def first_sentence(text: str) -> str:
    """All up to the first . ! or ? before white space; the whole text where there is none."""
    return re.split(r"(?<=[.!?])\s", text.strip(), maxsplit=1)[0]


def cheat(generations: list[dict], prompts: list[str], template: Prompt = PAPER) -> list[dict]:
    """Two cheating predictions for each generation of a base row, in their order.

    A generation has id, prediction and reference; `prompts` are the texts that were asked. A result
    has id, source (the bill as read), reference, copy (the source's opening) and repeat (the
    prediction's first sentence, over and over; blank where the prediction is). Both are as many
    words (split at white space) as the references have on average.
    """
    length = max(1, round(fmean(len(row["reference"].split()) for row in generations)))
    return [
        {
            "id": row["id"],
            "source": source_text(prompt, template),
            "reference": row["reference"],
            "copy": " ".join(source_text(prompt, template).split()[:length]),
            "repeat": " ".join(islice(cycle(first_sentence(row["prediction"]).split()), length)),
        }
        for row, prompt in zip(generations, prompts, strict=True)
    ]
