"""What a prediction's source bears out; and a score that no cheat raises while ROUGE rises."""

import math
import re
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sparsesum.corpus.bills import bills
from sparsesum.scoring import grounding
from sparsesum.scoring.encoder import minilm_folder
from sparsesum.scoring.similarity import score
from sparsesum.scoring.words import words
from tests.unit.test_fuzz import ANY, fuzz

BILL = """SECTION 1. SHORT TITLE.

    This Act may be cited as the ``Clear Rivers Act of 2004''.

SEC. 2. GRANTS FOR THE CLEANING OF RIVERS.

    (a) In General.--The Secretary of the Interior shall make grants of not more than $3,500,000 to
the States for the cleaning of the rivers of the Ohio Valley.
    (b) Share.--The share of the cost of a project that is paid with a grant under this section
shall be 75 percent.
    (c) Report.--Not later than five years after the date of the enactment of this Act, the
Secretary shall report to the Congress on the state of the rivers.

SEC. 3. PENALTIES.

    Whoever discharges waste into a river of the Ohio Valley shall be fined $20,000 for each day.
"""
REFERENCE = (
    "Clear Rivers Act of 2004 - Directs the Secretary of the Interior to make grants of up to $3.5 "
    "million to the States for the cleaning of the rivers of the Ohio Valley, and sets the share "
    "of the cost of a project that is paid with a grant at 75 percent. Requires a report to the "
    "Congress on the state of the rivers within 5 years. Sets a fine of $20,000 for each day of "
    "the discharge of waste into the rivers."
)
WEAK = "The Secretary of the Interior makes grants to the States for the rivers."


def ground(prediction: str, reference: str = REFERENCE, bill: str = BILL) -> dict:
    record = {"id": "b", "prediction": prediction, "reference": reference}
    (figures,), _ = grounding.ground([record], [{"id": "b", "text": bill, "summary": reference}])
    return figures


def marked(prediction: str) -> tuple[dict, dict]:
    record = {"id": "b", "prediction": prediction, "reference": REFERENCE}
    bill = {"id": "b", "text": BILL, "summary": REFERENCE}
    _, (marks,) = grounding.ground([record], [bill])

    def cut(text: str, spans: list) -> list[str]:
        return [text[span[0] : span[1]] for span in spans]

    return (
        {name: cut(prediction, marks[name]) for name in marks if name not in ("id", "reference")},
        {name: cut(REFERENCE, spans) for name, spans in marks["reference"].items()},
    )


@cache
def scored(prediction: str) -> dict:
    record = {"id": "b", "prediction": prediction, "reference": REFERENCE, "cut_off": False}
    return score([record], minilm_folder(), num_layers=6, batch_size=1)[0]


def opening(words: int, bill: str = BILL) -> str:
    return " ".join(bill.split()[:words])


LENGTH = len(REFERENCE.split())
CHEATS = {
    "copying the opening": (opening(LENGTH), ["rouge1", "rouge2", "rougeLsum", "bertscore"]),
    "adding the opening": (
        f"{WEAK}\n{opening(LENGTH)}",
        ["rouge1", "rouge2", "rougeLsum", "bertscore"],
    ),
    "a sentence twice": (f"{WEAK} {WEAK}", ["rouge1", "rouge2", "rougeLsum"]),
    "a sentence four times": (" ".join([WEAK] * 4), ["rouge1", "rouge2", "rougeLsum"]),
    "nothing": ("", []),
}


@pytest.mark.parametrize("name", CHEATS)
def test_cheats_raise_rouge_and_bertscore_and_not_fact_f1(name):
    cheat, raised = CHEATS[name]
    own = scored(WEAK)
    assert {metric for metric in raised if scored(cheat)[metric] > own[metric] + 0.02} == set(
        raised
    )
    assert ground(cheat)["fact_f1"] < ground(WEAK)["fact_f1"]


def test_fact_f1_of_a_weak_a_good_and_the_very_reference():
    """Of the ten facts of the reference the weak one has two, and states no other."""
    assert ground(WEAK)["fact_f1"] == pytest.approx(2 * 1 * 0.2 / 1.2)
    better = WEAK + " It fines discharges $20,000 a day."
    assert ground(better)["fact_f1"] == pytest.approx(2 * 1 * 0.3 / 1.3)
    invented = WEAK + " It fines discharges $30,000 a day."
    assert ground(invented)["fact_f1"] == pytest.approx(2 * (2 / 3) * 0.2 / (2 / 3 + 0.2))
    assert ground(REFERENCE)["fact_f1"] == 1
    assert ground("")["fact_f1"] == 0
    assert math.isnan(ground(WEAK, reference="It repeals a tax.")["fact_f1"])


def test_a_fact_told_again_costs_and_one_that_the_reference_tells_again_does_not():
    once, twice = "It goes to Ohio.", "It goes to Ohio, and from Ohio."
    assert ground(twice, reference=once)["fact_f1"] == pytest.approx(2 * 0.5 / 1.5)
    assert ground(twice, reference=twice)["fact_f1"] == 1
    assert ground(once, reference=twice)["fact_f1"] == 1
    four = "It goes to Ohio, and from Ohio. It is in Ohio, not by Ohio."
    assert ground(four, reference=twice)["fact_f1"] == pytest.approx(2 * (1 / 3) / (4 / 3))


def test_a_part_of_a_name_is_right_but_finds_nothing():
    """Right: the whole name, and its part, which is told once too often. Found: one of two."""
    said = "It is for the Secretary of Labor, the Secretary and the Secretary."
    found = ground(said, reference="It is for the Secretary of Labor in Ohio.")["fact_f1"]
    assert found == pytest.approx(2 * (2 / 3) * (1 / 2) / (2 / 3 + 1 / 2))


def test_what_the_reference_copies_may_be_copied():
    copied = "The share of the cost of a project that is paid with a grant is 75 percent."
    assert ground(copied, reference=copied)["fact_f1"] == 1
    assert ground(opening(30), reference=opening(30))["fact_f1"] == 1


def test_a_copied_run_is_longer_than_eight_words():
    reference = "Grants of $3,500,000 from the Secretary of the Interior."
    eight = "The Secretary of the Interior shall make grants"
    nine = "General. " + eight
    assert ground(eight, reference=reference)["longest_copy"] == 8
    assert ground(eight, reference=reference)["fact_f1"] > 0
    assert ground(nine, reference=reference)["longest_copy"] == 9
    assert ground(nine, reference=reference)["fact_f1"] == 0


@pytest.mark.parametrize(("word", "number"), [("101st", "101"), ("FY2004", "2004")])
def test_a_number_that_is_a_part_of_a_copied_word_is_copied(word, number):
    bill = f"it shall be kept by the people of the {word}"
    assert ground(bill, reference=f"It is {number}.", bill=bill)["fact_f1"] == 0
    assert ground(f"It is {word}.", reference=f"It is {number}.", bill=bill)["fact_f1"] == 1


def test_a_copied_fact_does_not_make_its_bare_words_elsewhere_right():
    """A name that begins a sentence is no fact; the copy's, which is one, earns nothing for it."""
    bill = "the several counties of the great state Texas shall pay"
    own = ground("Texas pays.", reference="It is for Texas.", bill=bill)["fact_f1"]
    added = ground(f"Texas pays.\n{bill}", reference="It is for Texas.", bill=bill)["fact_f1"]
    assert own == added == 0


def test_a_name_over_a_lines_end_is_not_told():
    said = "Labor pays Ohio by the Secretary of"
    reference = "To the Secretary of Labor in Ohio, Ohio."
    assert ground(said, reference)["fact_f1"] == pytest.approx(2 / 3)
    assert ground(f"{said}\n{said}", reference)["fact_f1"] == pytest.approx(4 / 7)


MADE = [*bills("us", 3, 5), *bills("california", 3, 5)]


def sentences(text: str) -> list[str]:
    return [part.strip() for part in re.split(r"(?<=[.;])\s", text) if part.strip()]


PARTS = sorted({part for bill in MADE for part in sentences(bill.text) + sentences(bill.summary)})


@pytest.mark.long("hundreds of examples")
@fuzz(200)
@given(
    bill=st.sampled_from(MADE),
    parts=st.lists(st.sampled_from(PARTS), max_size=4),
    times=st.integers(2, 4),
    share=st.floats(0, 1),
)
def test_no_cheat_raises_fact_f1_whatever_the_prediction_is(bill, parts, times, share):
    prediction = "\n".join(parts)
    first = ground(prediction, bill.summary, bill.text)
    own = first["fact_f1"]
    limit = max(grounding.COPIED, ground(bill.summary, bill.summary, bill.text)["longest_copy"])
    whole = bill.text.split()
    longer = opening(limit + 1 + int(share * len(whole)), bill.text)
    cheats = ["\n".join([prediction] * times), f"{prediction}\n{longer}"]
    # A line out of a copied run would be a shorter one, which may count.
    if first["longest_copy"] <= limit:
        cheats.append("\n".join([prediction, *parts[-1:] * times]))
    for cheat in cheats:
        assert ground(cheat, bill.summary, bill.text)["fact_f1"] <= own + 1e-9
    assert ground(longer, bill.summary, bill.text)["fact_f1"] == 0
    assert ground(bill.summary, bill.summary, bill.text)["fact_f1"] == 1


ODD = st.lists(
    st.sampled_from(
        """two hundred five twenty and million dollars $ $5 5 100 (3) 1999 Ohio Iowa Secretary of
        the Labor U.S. Code St. EPA County " `` '' “ ” It pays , . ; ( ) & Texas a""".split()
        + ["\n"]
    ),
    max_size=20,
).map(" ".join)
"""Texts without sentences, with marks that have no pair, and numbers that could grow."""


@pytest.mark.long("hundreds of examples")
@fuzz(400)
@given(ODD, ODD, st.lists(ODD, min_size=3, max_size=4).map(" ".join), st.integers(0, 20))
def test_no_cheat_raises_fact_f1_of_odd_texts(prediction, reference, bill, start):
    own = ground(prediction, reference, bill)["fact_f1"]
    perfect = ground(reference, reference, bill)
    assert math.isnan(own) or perfect["fact_f1"] == 1
    those = words(bill)[start : start + max(grounding.COPIED, perfect["longest_copy"]) + 1]
    cheats = [f"{prediction}\n{prediction}"]
    if len(those) > max(grounding.COPIED, perfect["longest_copy"]):
        copied = bill[those[0].start : those[-1].end]
        cheats += [f"{prediction}\n{copied}", f"{copied}\n{prediction}"]
    for cheat in cheats:
        assert math.isnan(own) or ground(cheat, reference, bill)["fact_f1"] <= own + 1e-9


def test_figures():
    """Three facts: the Secretary and the States are in the bill, $9 is not."""
    found = ground("The Secretary of the Interior pays $9 to the States.")
    assert (found["words"], found["facts"], found["reference_facts"]) == (10, 3, 10)
    assert found["unsupported"] == pytest.approx(1 / 3)
    assert (found["facts_amount"], found["unsupported_amount"]) == (1, 1)
    assert (found["facts_name"], found["unsupported_name"]) == (2, 0)
    assert (found["reference_facts_name"], found["recalled_name"]) == (5, 2)
    assert (found["reference_facts_amount"], found["recalled_amount"]) == (2, 0)
    assert (found["reference_facts_year"], found["reference_facts_number"]) == (1, 2)
    assert found["recalled"] == pytest.approx(2 / 10)
    assert found["longest_copy"] == 5
    # Runs: the Secretary of the Interior; to the States.
    assert found["coverage"] == 0.8 and found["density"] == pytest.approx((25 + 9) / 10)
    assert found["length_ratio"] == 10 / ground(REFERENCE)["words"]
    assert found["rep_2"] == 0
    assert found["compression"] == len(words(BILL)) / 10
    # New of 8 different words: pays, 9; of 9, 8 and 7 runs: those with them.
    novel = [found[f"novel_{n}"] for n in (1, 2, 3, 4)]
    assert novel == pytest.approx([2 / 8, 3 / 9, 4 / 8, 5 / 7])
    again = ground("a b a b a b")
    assert [again[f"rep_{n}"] for n in (2, 3, 4)] == pytest.approx([3 / 5, 2 / 4, 1 / 3])


def test_a_fact_is_of_the_kind_that_it_was_first():
    found = ground("It is in 1999, of 1,999 acres.")
    assert (found["facts_year"], found["facts_number"]) == (1, 0)


def test_what_is_marked_begins_with_four_words_in_a_row():
    own, _ = marked("Secretary of the Interior. For rivers of it. Secretary of the Interior")
    assert own["repeated"] == ["Secretary of the Interior"]
    assert own["copied"] == ["Secretary of the Interior"] * 2
    record = {"id": "b", "prediction": "Pays the States for the cleaning.", "reference": ""}
    _, (marks,) = grounding.ground([record], [{"id": "b", "text": BILL, "summary": ""}])
    assert marks["copied"] == [[5, 32, 5]]


def test_a_word_that_a_summary_writes_small_is_ordinary():
    record = {"id": "b", "prediction": "Clinics Ohio", "reference": "It has clinics."}
    bill = {"id": "b", "text": "It is.", "summary": "It has clinics."}
    (found,), _ = grounding.ground([record], [bill])
    assert found["facts_name"] == 1
    assert ground("Clinics Ohio", "It has clinics.", "Ohio")["unsupported"] == 0


def test_a_bills_lines_may_break_inside_its_facts():
    found = ground("It pays 200 to the Land Office.", bill="two\nhundred for the Land\nOffice")
    assert found["unsupported"] == 0


def test_a_blank_has_no_figures_per_word():
    found = ground(" \n")
    none = {name for name, value in found.items() if value != value}
    assert none == {
        "unsupported",
        "coverage",
        "density",
        "compression",
        *(f"rep_{n}" for n in (2, 3, 4)),
        *(f"novel_{n}" for n in (1, 2, 3, 4)),
    }
    assert (found["words"], found["length_ratio"], found["longest_copy"]) == (0, 0, 0)
    assert found["recalled"] == 0


def test_marks_are_where_the_words_stand():
    said = (
        "In 2005, the Secretary of the Interior shall make gifts. Ohio Valley is in Iowa. "
        "In 2005, the Secretary of the Interior."
    )
    own, reference = marked(said)
    assert own["copied"] == [
        "the Secretary of the Interior shall make",
        "the Secretary of the Interior",
    ]
    assert own["repeated"] == ["In 2005, the Secretary of the Interior"]
    assert own["unsupported"] == ["2005", "Iowa", "2005"]
    assert own["supported"] == [
        "Secretary of the Interior",
        "Ohio Valley",
        "Secretary of the Interior",
    ]
    assert reference["recalled"] == ["Secretary of the Interior", "Ohio Valley"]
    assert "$3.5 million" in reference["missed"] and "2004" in reference["missed"]


def test_the_bills_facts_are_those_of_the_references():
    """The generator's summaries state nothing that their bills have not."""
    for bill in MADE:
        found = ground(bill.summary, bill.summary, bill.text)
        assert found["unsupported"] == 0 and found["facts"] > 2


def test_generations_keep_their_order_and_each_its_bill():
    records = [
        {"id": name, "prediction": f"It is for {place}.", "reference": "It is for Ohio."}
        for name, place in (("b", "Ohio"), ("a", "Ohio"), ("b", "Iowa"))
    ]
    texts = [
        {"id": "a", "text": "for Iowa", "summary": ""},
        {"id": "b", "text": "Ohio", "summary": ""},
    ]
    figures, marks = grounding.ground(records, texts)
    assert [line["id"] for line in figures] == [line["id"] for line in marks] == ["b", "a", "b"]
    assert [line["unsupported"] for line in figures] == [0, 1, 1]
    assert [line["fact_f1"] for line in figures] == [1, 1, 0]


@fuzz(100)
@given(ANY, ANY, ANY)
def test_any_texts_have_figures_and_marks(prediction, reference, bill):
    figures = ground(prediction, reference, bill)
    assert set(grounding.METRICS) < set(figures)
    for name in ("fact_f1", "unsupported", "recalled", "coverage", "rep_2", "novel_1"):
        assert math.isnan(figures[name]) or 0 <= figures[name] <= 1


def test_real_references_state_what_their_bills_do(shared):
    """The floor of `unsupported`: what the facts' forms miss in the references of real bills."""
    from sparsesum.base.files import read_jsonl

    records = [
        {"id": bill["bill_id"], "reference": bill["summary"], "prediction": bill["summary"]} | bill
        for bill in read_jsonl(shared / "billsum" / "us_train.jsonl")
    ]
    figures, _ = grounding.ground(records, records)
    known = [line["unsupported"] for line in figures if line["facts"]]
    assert len(known) > 100 and sum(known) / len(known) < 0.12
    numbers = sum(line["facts_number"] + line["facts_year"] for line in figures)
    wrong = sum(line["unsupported_number"] + line["unsupported_year"] for line in figures)
    assert wrong / numbers < 0.04
