"""The synthetic bills, and the corpus that ships."""

import json
import re
from pathlib import Path

import pytest
from bills import SPLITS

from sparsesum.corpus.bills import bills

ROOT = Path(__file__).resolve().parents[2]


@pytest.mark.parametrize("style", ["us", "california"])
def test_the_same_seed_gives_the_same_bills(style):
    assert bills(style, 20, 3) == bills(style, 20, 3)
    assert bills(style, 20, 3) != bills(style, 20, 4)


@pytest.mark.parametrize("style", ["us", "california"])
def test_a_summarys_facts_stand_in_the_text(style):
    """Every number, year and amount of a summary must be found and copied."""
    for bill in bills(style, 200, 5):
        facts = re.findall(r"\$?\d[\d,]*\d|\d", bill.summary.replace("FY", ""))
        assert all(fact in bill.text for fact in facts), bill


def test_the_text_has_facts_that_the_summary_must_leave_out():
    distracting = 0
    for bill in bills("us", 200, 5):
        years = set(re.findall(r"(?:19|20)\d\d", bill.text))
        distracting += bool(years - set(re.findall(r"(?:19|20)\d\d", bill.summary)))
    assert distracting > 150


def test_the_styles_read_differently():
    us, california = bills("us", 1, 1)[0], bills("california", 1, 1)[0]
    assert us.text.startswith("SECTION 1. SHORT TITLE.") and " - " in us.summary
    assert california.text.startswith("The people of the State of California do enact")
    assert california.summary.startswith("Existing law")


def test_retellings_are_in_no_corpus():
    for bill in [*bills("us", 50, 1), *bills("california", 50, 1)]:
        text = "".join(bill.record().values())
        assert bill.news not in text and bill.letter not in text


@pytest.mark.parametrize("style", ["us", "california"])
def test_facts_stand_in_text_and_retellings(style):
    for bill in bills(style, 100, 5):
        assert len(bill.facts) >= 3
        for label, value in bill.facts.items():
            words = set(re.findall(r"[\w$,]*\w", value.lower()))
            assert words <= set(re.findall(r"[\w$,]*\w", bill.text.lower())), (label, value)
        told = [value for value in bill.facts.values() if value in bill.letter]
        assert len(told) >= 2, bill


def test_the_shipped_corpus_is_what_the_generator_writes():
    for split, (style, count, seed) in SPLITS.items():
        shipped = (ROOT / "resources" / "bills" / f"{split}.jsonl").read_text().splitlines()
        made = [bill.record() for bill in bills(style, count, seed)]
        records = [json.loads(line) for line in shipped]
        assert [{k: v for k, v in row.items() if k != "bill_id"} for row in records] == made


def test_train_and_test_share_no_bill():
    texts = {
        split: {
            json.loads(line)["text"]
            for line in (ROOT / "resources" / "bills" / f"{split}.jsonl").open()
        }
        for split in ("train", "test", "ca_test")
    }
    assert not texts["train"] & texts["test"]
