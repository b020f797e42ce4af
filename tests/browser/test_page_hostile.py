"""The page in a browser: texts that would harm it, and that fit no screen."""

import pytest
from outputs import ROWS, bill, outputs

from sparsesum.experiment.grid import Row
from sparsesum.pages import browse
from tests.browser.bills import no_overflow
from tests.browser.conftest import PHONE, WIDE

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
