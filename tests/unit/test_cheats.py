"""Copies are openings of what the model read; repetitions are of its first sentence."""

import pytest

from sparsesum.corpus.prompt import inference_prompt
from sparsesum.corpus.tokens import tokenise
from sparsesum.scoring import cheats

BILL = "SECTION 1.\n\n    The Secretary   shall convey\n777 acres of land to the county."
ROW = {"id": "b1", "prediction": "", "reference": "one two three four"}


def test_a_copy_is_the_sources_opening_and_as_long_as_references_are():
    rows = [ROW, ROW | {"id": "b2", "reference": "one two three four five six"}]
    made = cheats.cheat(rows, [inference_prompt(BILL), inference_prompt("Short.")])
    assert made[0]["copy"] == "SECTION 1. The Secretary shall"
    assert made[1]["copy"] == "Short."
    assert made[0]["append"] == "\nSECTION 1. The Secretary shall"
    assert [row["blank"] for row in made] == ["", ""]
    assert [row["id"] for row in made] == ["b1", "b2"]
    assert all(set(cheats.CHEATS) < set(row) for row in made)
    assert made[0]["source"] == BILL


@pytest.mark.parametrize(("references", "words"), [(["a", "a b", "a b"], 2), (["", ""], 1)])
def test_a_length_is_rounded_and_at_least_a_word(references, words):
    rows = [ROW | {"reference": reference} for reference in references]
    made = cheats.cheat(rows, [inference_prompt(BILL)] * len(rows))
    assert {len(row["copy"].split()) for row in made} == {words}


@pytest.mark.parametrize(
    ("prediction", "repeat"),
    [
        ("It costs $1.5 a day. So it is.", "It costs $1.5 a day. It costs $1.5"),
        ("NEWS\nIt is.\nMore.", "NEWS It is. NEWS It is. NEWS It"),
        ("Is it? It is.", "Is it? Is it? Is it? Is it?"),
        ("No end! Or so.", "No end! No end! No end! No end!"),
        ("no end here", "no end here no end here no end"),
        ("One sentence of a good many words in all, more.", "One sentence of a good many words in"),
        ("", ""),
        (" \n", ""),
    ],
)
def test_a_repetition(prediction, repeat):
    row = {"id": "b", "prediction": prediction, "reference": "1 2 3 4 5 6 7 8"}
    assert cheats.cheat([row], [inference_prompt(BILL)])[0]["repeat"] == repeat


def test_the_source_is_what_the_model_read(tokenizer):
    """Decoded from the prompt of the tokens stage: the bill's first tokens, and all of a short."""
    record = {"id": "b", "text": BILL, "summary": "s"}
    whole, cut = (
        tokenizer.decode(tokenise(tokenizer, [record], limit, 9)["prompt_ids"][0])
        for limit in (1000, 12)
    )
    assert cheats.source_text(whole) == BILL
    read = cheats.source_text(cut)
    assert BILL.startswith(read) and 0 < len(read) < len(BILL)
    assert len(tokenizer.encode(read, add_special_tokens=False).ids) == pytest.approx(12, abs=1)
