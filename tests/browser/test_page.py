"""The page in a browser: what is shown, marked, found, sorted, filtered and kept in the address."""

import pytest
from outputs import ROWS, bill, outputs
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.common.keys import Keys

from sparsesum import browse
from sparsesum.grid import Row
from tests.browser.conftest import PHONE, WIDE

BILLS = {
    "validation": [bill(1, title="A validation bill")],
    "test": [bill(1), bill(2, text="Nothing but\n a dam in Kenler."), bill(3), bill(4)],
}
# Of each bill, what the three rows score.
FACT_F1 = {"test-1": (0.5, 0.6, 0.7), "test-2": (0.1, 0.9, 0.5), "test-3": (0.2, 0.2, 0.2),
           "test-4": (0.9, 0.8, 0.6)}  # fmt: skip
BASE, WANDA, FULL = (row.path for row in ROWS)


def scored(row, split, record):
    return {"fact_f1": FACT_F1[record["id"]][ROWS.index(row)]}


def cards(page) -> list[str]:
    return page.texts("#cards article h3")


def no_overflow(page) -> bool:
    return page.js("return document.documentElement.scrollWidth <= innerWidth")


# ---- What is shown


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


# ---- Search, sorting, filters


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


# ---- Keyboard and address


def test_keyboard_steps(page):
    page.show(BILLS)
    seen = []
    for key in ("j", Keys.ARROW_RIGHT, "j", "j", "k", Keys.ARROW_LEFT, "k", "k"):
        page.press(key)
        seen.append(page.bill()[-1])
    assert "".join(seen) == "23443211"
    page.press("/", "j", "k")
    assert page.js("return document.getElementById('search').value") == "jk"
    page.press(Keys.BACKSPACE, Keys.BACKSPACE, Keys.ESCAPE, "[")
    assert page.text("#place").startswith("validation")


def test_help(page):
    page.show(BILLS)
    page.press("?")
    page.until("document.getElementById('help').open")
    page.press("j", "[")  # not behind it
    page.press(Keys.ESCAPE)
    page.until("!document.getElementById('help').open")
    assert page.bill() == "test-1" and page.text("#place").startswith("test,")
    page.press("j")
    assert page.bill() == "test-2"


def test_steps_follow_the_order_of_the_list(page):
    page.show({"test": BILLS["test"]}, scored, hash="#sort=disagreement")
    page.press("j", "j")
    assert page.bill() == "test-1" and "3 of 4" in page.text("#place")
    page.click("#previous")
    assert page.bill() == "test-4"
    assert page.js("return document.querySelectorAll('#bills button[tabindex=\"0\"]').length") == 1


def test_the_address_says_all_that_is_seen(page):
    page.show(BILLS | {"validation": BILLS["test"]}, scored)
    page.click("#splits label:first-of-type")
    page.choose("metric", "fact_f1")
    page.choose("sort", WANDA)
    page.click("#direction")
    page.click("#overview tr[data-row='0'] input")
    page.press("/")
    page.press("& its =#%")
    page.press(*[Keys.BACKSPACE] * 9, "inspect its")
    page.press(Keys.ESCAPE)
    page.press("j")
    page.click("#cards article:nth-child(2) h3 button")
    seen = {"listed": page.listed(), "bill": page.bill(), "cards": cards(page)}
    assert seen["listed"] == ["test-4", "test-1", "test-3"] and seen["bill"] == "test-1"
    url = page.driver.current_url
    assert page.hash() == (
        f"split=validation&bill=test-1&rows={WANDA},{FULL}&row={FULL}&sort={WANDA}&dir=down"
        "&q=inspect%20its"
    )
    page.driver.get("about:blank")
    page.driver.get(url)
    assert {"listed": page.listed(), "bill": page.bill(), "cards": cards(page)} == seen
    assert page.driver.current_url == url
    assert page.js("return document.querySelector('article.active').dataset.row") == "2"
    page.js("location.hash = 'split=test&bill=test-3'")
    page.until("document.getElementById('place').textContent.includes('test-3')")
    assert page.bill() == "test-3" and len(cards(page)) == 3 and len(page.listed()) == 4


@pytest.mark.parametrize(
    "hash",
    [
        "#split=train&bill=nothing&rows=../x&row=constructor&metric=__proto__&sort=toString&dir=no",
        "#bill=%00%3Cimg%20src=x%20onerror=alert(1)%3E&q=%5B(%5C",
        "#&&===%",
    ],
)
def test_an_address_that_says_nothing_sensible(page, hash):
    page.show(BILLS, hash=hash)
    assert page.js("return document.getElementById('metric').value") == "fact_f1"
    assert page.js("return document.getElementById('sort').value") == "order"


# ---- Hostile texts


HOSTILE = [
    "</script><script>document.title = 'harm'</script>",
    "<img src=x onerror=\"document.title='harm'\"><iframe src='https://example.org'></iframe>",
    "<!--<script><style>*{display:none}</style><link rel=stylesheet href=//example.org/x>",
    "{{script}} {{data}} \\u003cb> &lt;b&gt; javascript:alert(1)",
]


def test_hostile_texts_are_shown_and_do_nothing(page):
    records = [bill(n, text, text, text) for n, text in enumerate(HOSTILE)]
    page.show(
        {"test": records},
        lambda row, split, record: {
            "prediction": record["text"], "unsupported_facts": [record["text"][3:9]],
        },
    )  # fmt: skip
    for text in HOSTILE:
        assert page.text("#source") == page.text("#reference") == text
        assert page.texts("#cards .text") == [text] * 3
        assert page.marks("#cards article:nth-child(1)") == [("unsupported", text[3:9])]
        assert page.text("#title") == text
        page.press("j")
    assert page.driver.title == "Reading the outputs: made-up"
    assert page.js("return document.querySelectorAll('iframe, img, link').length") == 0


def test_a_script_that_got_in_would_not_run(page):
    html = browse.page(**outputs({"test": [bill(1)]}, lambda *_: {}))
    harm = "<script>document.title = 'harm'</script><b onclick=\"document.title='harm'\" id=b>x</b>"
    page.open(html.replace("<main>", f"<main>{harm}"))
    page.js("document.getElementById('b').click()")
    assert page.driver.title == "Reading the outputs: made-up"
    # Which the browser says; no other test may see it.
    said = [line["message"] for line in page.driver.get_log("browser")]
    assert len(said) == 2 and all("Content Security Policy" in line for line in said)


def test_odd_characters_are_shown(page):
    odd = "a\u2028b\u2029c \ud800 \udfff \x00\x1b[2J \u202etxet\u2066 𝔸🜚 e\u0301 7"
    page.show(
        {"test": [bill(1, odd, odd, odd)]},
        lambda *_: {
            "prediction": odd,
            "unsupported_facts": ["7"],
        },
    )
    shown = page.text("#cards .text")
    assert shown == "a␤b␤c � � ␀␛[2J �txet� 𝔸🜚 e\u0301 7" == page.text("#source")
    assert page.marks("#cards article:nth-child(1)") == [("unsupported", "7")]


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_no_width_is_too_small_for_any_text(page, size):
    long = "w" * 5000
    rows = [Row(f"model-{'x' * 80}", "qlora", "sparsegpt", "2:4"), *ROWS]
    page.show(
        {"test": [bill(1, long, long, long)] * 1},
        lambda *_: {"prediction": long, "facts": 9, "unsupported": 1, "rep_4": 1},
        rows,
        size=size,
    )
    assert no_overflow(page)
    page.press("?")
    assert no_overflow(page)


# ---- Large


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
    # Some 30 ms here, and as many seconds if each step built all bills anew.
    assert took["step"] < 2000
