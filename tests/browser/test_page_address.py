"""The page in a browser: what the keyboard does, and what the address keeps."""

import pytest
from selenium.webdriver.common.keys import Keys

from tests.browser.bills import BILLS, FULL, WANDA, cards, scored


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
