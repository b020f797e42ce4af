"""The summaries of one text: each row's is there, its unsupported facts are marked, and no more."""

import re

import pytest

from sparsesum.pages import pages, summaries
from sparsesum.scoring import grounding

BILL = "The Secretary of Labor shall convey 777 acres of land to Denbury County, Vermont, in 2004."
WROTE = {
    "a/dense/base": "Requires the Secretary of Labor to convey 777 acres to Denbury County, Iowa.",
    "b/dense/base": "Directs it to convey 777 acres.",
    "c/dense/base": "In 2004, it spent $5 on <b>*the* land</b> | and\n\n# `1999` on Reno_County.",
    "d/dense/base": "",
}
ABOUT = summaries.About("act_1", len(BILL), 256, "tiny", "Random *weights*.")


def found(read: float = 1.0, cut_off: bool = False) -> list[summaries.Summary]:
    """Each row's summary, as rule `summaries_page` has it."""
    records = [{"id": "act", "prediction": text, "reference": ""} for text in WROTE.values()]
    figures, marks = grounding.ground(records, [{"id": "act", "text": BILL, "summary": ""}])
    more = {"cut_off": cut_off, "read": read, "seconds": 1.234}
    return [
        summaries.of(row, record | more, *each)
        for row, record, *each in zip(WROTE, records, figures, marks, strict=True)
    ]


@pytest.fixture(scope="module")
def page() -> str:
    return pages.page(summaries.markdown(ABOUT, found()))


def cells(page: str) -> list[list[str]]:
    """The cells of the page's table, as HTML."""
    lines = re.findall(r"(?s)<tr>(.*?)</tr>", page)[1:]
    return [re.findall(r"(?s)<td[^>]*>(.*?)</td>", line) for line in lines]


def test_a_line_a_row_in_their_order_with_facts_and_time(page):
    lines = cells(page)
    assert [line[0] for line in lines] == list(WROTE)
    assert [line[2:] for line in lines] == [
        [facts, "all", "1.23"] for facts in ("1 of 4", "0 of 1", "3 of 5", "0 of 0")
    ]


def test_only_facts_that_the_bill_has_not_are_bold(page):
    bold = [re.findall("<strong>(.*?)</strong>", line[1]) for line in cells(page)]
    assert bold[0] == ["Iowa"]
    assert bold[1] == bold[3] == []
    assert bold[2] == ["$5", "1999", "Reno"]


def test_a_fact_inside_another_is_written_once():
    text = 'They call it "Plan 1999 of 12" here.'
    found = [[13, 30], [19, 23], [27, 29]]
    summary = summaries.Summary("a/dense/base", text, False, 1.0, 1.0, 3, 3, found)
    said = summaries.terminal(ABOUT, [summary])
    assert 'They call it >>"Plan 1999 of 12"<< here.' in said


def test_what_a_model_wrote_is_text_and_no_markup(page):
    wrote = cells(page)[2][1]
    text = re.sub("</?strong>", "", wrote)
    assert text == (
        "In 2004, it spent $5 on &lt;b&gt;*the* land&lt;/b&gt; | and # `1999` on Reno_County."
    )
    assert "Random *weights*." in page and "<em>" not in page


def test_the_terminal_says_the_same():
    said = summaries.terminal(ABOUT, found())
    assert "a/dense/base: 1.23 s, read all, 1 of 4 facts not in the text\n  Requires" in said
    assert "Directs it to convey 777 acres.\n" in said and "(blank)" in said
    assert ">>$5<<" in said and ">>1999<<" in said and ">>777<<" not in said
    for text in (said, summaries.terminal(ABOUT, found(0.5))):
        assert max(map(len, text.splitlines())) <= summaries.WIDTH


def test_a_control_character_reaches_no_terminal():
    summary = found()[1]._replace(text="\x1b[31mred\u202e", spans=[])
    for said in (summaries.terminal(ABOUT, [summary]), summaries.markdown(ABOUT, [summary])):
        assert "\x1b" not in said and "\u202e" not in said and "red" in said


@pytest.mark.parametrize(("share", "said"), [(0.999, "99 %"), (0.374, "37 %"), (0.0001, "1 %")])
def test_what_was_cut_is_said_with_the_share_that_was_read(share, said):
    for text in (summaries.markdown(ABOUT, found(share)), summaries.terminal(ABOUT, found(share))):
        assert said in text and "first 256 tokens (key tokens.text)" in text.replace("\n", " ")
    assert "tokens.text" not in summaries.terminal(ABOUT, found())


def test_a_summary_without_an_end_says_so():
    said = " ".join(summaries.terminal(ABOUT, found(cut_off=True)).split())
    assert said.count("(the limit of new tokens)") == 3  # and the blank one
    assert "limit" not in summaries.terminal(ABOUT, found())
