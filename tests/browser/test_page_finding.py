"""The page in a browser: what is searched, sorted and filtered."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.bills import BASE, BILLS, FULL, WANDA, cards, scored


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("test-3", ["test-3"]),
        ("the 4TH", ["test-4"]),
        ("but a dam", ["test-2"]),
        ("by law 1", ["test-1"]),
        ("QLORA ON TEST-4", ["test-4"]),
        ("(.*)", []),
        ("inspect its", ["test-1", "test-3", "test-4"]),
    ],
)
def test_search_in_ids_titles_bills_references_and_outputs(page, words, found):
    page.show(BILLS)
    page.press("/")
    page.press(words)
    assert page.listed() == found
    assert page.text("#count").startswith(f"{len(found)} of 4 bills")
    if found:
        assert page.bill() == found[0]
        assert page.js("return CSS.highlights.get('search')?.size ?? 0") > 0
    else:
        assert page.texts("#bills li") == ["No bill with these words."]
        assert not page.js("return document.getElementById('bill').checkVisibility()")
    page.press(Keys.ESCAPE, "/", Keys.BACKSPACE)
    assert len(page.listed()) == 4
    assert page.js("return document.getElementById('bill').checkVisibility()")


def test_what_is_not_shown_is_not_searched(page):
    page.show(BILLS, hash=f"#rows={BASE}&q=qlora on")
    assert page.listed() == []


@pytest.mark.parametrize(
    ("sort", "order"),
    [
        ("order", "1234"),
        ("disagreement", "2413"),  # 0.8, 0.3, 0.2, 0
        ("mean", "3214"),  # 0.2, 0.5, 0.6, 0.77
        (BASE, "2314"),
        (FULL, "3241"),
    ],
)
def test_sorting(page, sort, order):
    page.show({"test": BILLS["test"]}, scored)
    page.choose("sort", sort)
    assert page.listed() == [f"test-{number}" for number in order]
    assert page.bill() == page.listed()[0]
    if sort != "order":
        page.click("#direction")
        assert page.listed() == [f"test-{number}" for number in reversed(order)]


def test_another_metric_and_bills_without_a_value_of_it(page):
    shares = {"test-1": "", "test-2": 0.1, "test-3": 0.9, "test-4": 0.4}
    page.show(
        {"test": BILLS["test"]}, lambda row, split, record: {"unsupported": shares[record["id"]]}
    )
    page.choose("metric", "unsupported")
    page.choose("sort", "mean")
    assert page.listed() == ["test-2", "test-4", "test-3", "test-1"]
    page.click("#direction")
    assert page.listed() == ["test-3", "test-4", "test-2", "test-1"]
    values = [text.replace("\u00a0", " ") for text in page.texts("#bills .value")]
    assert values == ["90 %", "40 %", "10 %", "–"]


def test_disagreement_is_of_the_shown_rows(page):
    page.show({"test": BILLS["test"]}, scored, hash=f"#sort=disagreement&rows={WANDA},{FULL}")
    assert page.listed() == ["test-2", "test-4", "test-1", "test-3"]  # 0.4, 0.2, 0.1, 0
    assert page.texts("#bills .value")[0] == "0.70"


def test_filters(page):
    page.show({"test": BILLS["test"]}, scored)
    facet = "#facets input[data-facet='{}'][value='{}']".format
    page.click(facet("model", "small"))
    assert cards(page) == ["large full"]
    page.click(facet("finetuning", "qlora"))
    assert cards(page) == ["small qlora wanda 2:4", "large full"]
    assert page.js("return document.querySelector(arguments[0]).indeterminate",
                   facet("model", "small"))  # fmt: skip
    page.click(facet("pruner", "none"))  # was partly on: now all of it is
    assert cards(page) == ["small base", "small qlora wanda 2:4", "large full"]
    page.click("#overview tr[data-row='1'] input")
    assert cards(page) == ["small base", "large full"]
    none, every = "#overview thead button:last-child", "#overview thead button:first-child"
    page.click(none)
    assert cards(page) == [] and "rows=" in page.hash()
    assert page.listed() and page.texts("#bills .value") == ["–"] * 4
    page.click(every)
    assert len(cards(page)) == 3 and "rows" not in page.hash()
    page.click(none)
    page.click("#overview tr[data-row='2'] th button")
    assert cards(page) == ["large full"]


def test_filter_by_split(page):
    page.show(BILLS)
    page.click("#splits label:first-of-type")
    assert page.listed() == ["test-1"] and page.text("#title") == "A validation bill"
    assert "1 bills of validation" in page.text("#overview-of")
    page.press("]")
    assert len(page.listed()) == 4
    page.press("[")
    assert len(page.listed()) == 1
