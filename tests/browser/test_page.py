"""The page in a browser: what is shown and marked, also of many rows and bills."""

import pytest
from outputs import ROWS, bill
from selenium.webdriver.common.action_chains import ActionChains

from sparsesum.experiment.grid import Row
from tests.browser.bills import BASE, BILLS, FULL, WANDA, cards, no_overflow, scored
from tests.browser.conftest import PHONE, WIDE


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_a_bill_and_all_outputs_of_it(page, size):
    page.show(BILLS, scored, size=size)
    assert page.bill() == "test-1"
    assert page.text("#reference") == BILLS["test"][0]["summary"]
    assert page.text("#source") == BILLS["test"][0]["text"]
    assert page.texts("#cards article .text") == [
        "base on test-1.", "qlora on test-1.", "full on test-1.",
    ]  # fmt: skip
    assert cards(page) == ["small base", "small qlora wanda 2:4", "large full"]
    assert page.text("#about") == "made-up · A test's outputs."
    assert no_overflow(page)


def test_marks_lie_on_the_right_words(page):
    source = "𝔸 dam.\nThe  county of\nKenler pays $5, 𝔹 and the county of Kenler pays again."
    reference = "𝔸 Kenler pays $5 and 7."
    told = "𝔹🜚 The county of Kenler pays $9. It pays it all, it pays it all."
    record = bill(1, source, reference)
    page.show(
        {"test": [record]},
        lambda row, *_: {
            "prediction": told,
            "copied": ["The county of Kenler pays"] if row == ROWS[0] else [],
            "repeated": ["it pays it all"],
            "unsupported_facts": ["$9"],
            "recalled_facts": ["Kenler"] if row == ROWS[0] else [],
            "missed_facts": ["$5", "7"] if row == ROWS[0] else ["$5", "7", "Kenler"],
        },
    )
    assert page.marks("#cards article:nth-child(1)") == [
        ("copied", "The county of Kenler pays"),
        ("unsupported", "$9"),
        ("repeated", "it pays it all"),
    ]
    assert page.text("#cards article .text") == told
    assert page.marks("#reference") == [("found", "Kenler"), ("missed", "$5"), ("missed", "7")]
    # In the bill white space is another, and the first place is taken.
    assert page.marks("#source") == [("copied", "The  county of\nKenler pays")]


def test_marks_overlap(page):
    page.show(
        {"test": [bill(1)]},
        lambda *_: {
            "prediction": "one two three four five",
            "copied": ["one two three four"],
            "repeated": ["three four five"],
        },
    )
    assert page.marks("#cards article:nth-child(1)") == [
        ("copied", "one two "), ("copied repeated", "three four"), ("repeated", " five"),
    ]  # fmt: skip


def test_marks_differ_in_shape_and_not_in_colour_alone(page):
    page.show({"test": [bill(1)]})
    shapes = page.js("""
      return [...document.querySelectorAll(".legend mark")].map((mark) => {
        const style = getComputedStyle(mark);
        return [style.borderBottomStyle, style.textDecorationStyle, style.outlineStyle].join();
      })""")
    assert len(shapes) == 5 == len(set(shapes))


def test_badges_say_in_plain_words_what_is_wrong(page):
    said = {
        BASE: {"prediction": " \n", "blank": True, "cut_off": True},
        WANDA: {
            "facts": 5, "unsupported": 0.6, "cut_off": True, "rep_4": 0.62, "longest_copy": 41,
            "reference_facts": 4, "recalled": 0, "length_ratio": 2.34,
        },
        FULL: {"facts": 3, "unsupported": 0, "reference_facts": 4, "recalled": 1.0},
    }  # fmt: skip
    page.show({"test": [bill(1)]}, lambda row, *_: said[row.path])
    badges = [
        [text.replace("\u00a0", " ") for text in page.texts(f"#cards article:nth-child({n}) li")]
        for n in (1, 2, 3)
    ]
    assert badges == [
        ["blank: nothing was written"],
        ["cut off at the limit", "3 of 5 facts are not in the bill", "62 % repeated",
         "2.3 × as long as the reference", "finds none of the reference’s 4 facts",
         "copies 41 words in a row"],
        ["finds 4 of the reference’s 4 facts"],
    ]  # fmt: skip
    assert page.text("#cards article .text") == "(blank)"


def test_the_overview_says_why_a_rows_outputs_are_bad(page):
    def say(row, split, record):
        if row.finetuning != "base":
            return {"facts": 2, "unsupported": 0, "recalled": 1, "reference_facts": 2}
        news = f"The House took up {record['id']} today."
        # Of four bills one has no facts, which is no part of the mean.
        shares = {"test-1": 0.2, "test-2": 0.4, "test-3": 0.9, "test-4": ""}
        return {"prediction": news, "unsupported": shares[record["id"]], "fact_f1": 0.125}

    page.show(BILLS | {"validation": []}, say)
    line = "#overview tr[data-row='{}']"
    why = page.text(line.format(0) + " .why").replace("\u00a0", " ")
    assert why == "100 % begin “The House took up …” · invents 50 % of facts"
    assert page.text(line.format(0) + " .unsupported").replace("\u00a0", " ") == "50 %"
    assert page.text(line.format(0) + " .fact_f1") == "0.13"
    assert page.text(line.format(2) + " .why") == "nothing"
    width = "return document.querySelector(arguments[0]).style.width"
    assert page.js(width, line.format(0) + " .unsupported i") == "50%"
    first = page.text("#cards article:nth-child(1) li").replace("\u00a0", " ")
    assert first == "begins “The House took up …”, as 100 % of this row’s outputs"


def test_the_row_that_is_pointed_at_marks_reference_and_bill(page):
    page.show(
        {"test": [bill(1, text="One two three four five six.", summary="Pays $5.")]},
        lambda row, *_: {
            "prediction": "one two three four" if row == ROWS[0] else "three four five six",
            "copied": ["one two three four" if row == ROWS[0] else "three four five six"],
            "recalled_facts": ["$5"] if row == ROWS[0] else [],
            "missed_facts": [] if row == ROWS[0] else ["$5"],
        },
    )
    third = page.driver.find_element("css selector", "#cards article:nth-child(3)")
    assert page.marks("#source, #reference") and page.marks("#reference") == [("found", "$5")]
    ActionChains(page.driver).move_to_element(third).perform()
    assert page.marks("#reference") == [("missed", "$5")]
    assert page.marks("#source") == [("copied", "three four five six")]
    ActionChains(page.driver).move_to_element(
        page.driver.find_element("css selector", "h1")
    ).perform()
    assert page.marks("#source") == [("copied", "One two three four")]
    page.click("#cards article:nth-child(3) h3 button")
    ActionChains(page.driver).move_to_element(
        page.driver.find_element("css selector", "h1")
    ).perform()
    assert page.marks("#reference") == [("missed", "$5")]
    assert page.hash() == f"split=test&bill=test-1&row={FULL}"


def test_thirty_rows_of_two_hundred_bills(page):
    rows = [Row(f"model-{i // 10}", "qlora", "wanda", f"{i % 10 + 50}%") for i in range(30)]
    words = "The Secretary shall convey land to the county and report each year. "
    bills = {
        s: [bill(n, words * 150, words * 10) for n in range(200)] for s in ("validation", "test")
    }
    page.show(
        bills,
        lambda row, split, record: {
            "prediction": f"{row.path} {record['id']} {words * 8}",
            "copied": [words.strip()],
            "unsupported_facts": [record["id"]],
            "fact_f1": (int(record["id"][5:]) * 37 + len(row.path) * 11) % 100 / 100,
        },
        rows,
    )
    assert len(page.listed()) == 200 and len(cards(page)) == 30
    # Nothing of a bill that is not shown is in the document.
    assert page.js("return document.querySelectorAll('*').length") < 9000
    took = page.js("""
      const took = {};
      const time = (name, act) => {
        const start = performance.now();
        act();
        document.body.offsetHeight;
        took[name] = performance.now() - start;
      };
      const key = (key) => document.body.dispatchEvent(
        new KeyboardEvent("keydown", {key, bubbles: true, cancelable: true}));
      const search = document.getElementById("search");
      const sort = document.getElementById("sort");
      time("step", () => key("j"));
      time("sort", () => { sort.value = "disagreement"; sort.dispatchEvent(new Event("change")); });
      time("search", () => {
        search.value = "test-19";
        search.dispatchEvent(new Event("input", {bubbles: true}));
      });
      time("split", () => key("["));
      took.paint = performance.getEntriesByName("first-contentful-paint")[0].startTime;
      took.complete = performance.getEntriesByType("navigation")[0].domComplete;
      return took;""")
    print({name: round(value) for name, value in took.items()})
    # Nor of those that have been.
    assert page.js("return document.querySelectorAll('*').length") < 9000
