"""A headless Chromium, and pages in it that may neither complain nor ask a network."""

import json
from pathlib import Path

import pytest
from outputs import outputs
from selenium import webdriver
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.action_chains import ActionChains
from selenium.webdriver.support.wait import WebDriverWait

from sparsesum.pages import browse

WIDE, PHONE = (1280, 900), (390, 844)


@pytest.fixture(scope="session")
def chromium():
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for argument in ("--headless=new", "--no-sandbox", "--disable-dev-shm-usage"):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    # Without a path selenium would look for a driver on the network.
    driver = webdriver.Chrome(options=options, service=Service("/usr/bin/chromedriver"))
    yield driver
    driver.quit()


class Page:
    """A page of outputs, opened from the disk."""

    def __init__(self, chromium: webdriver.Chrome, folder: Path) -> None:
        self.driver, self.file = chromium, folder / "browse.html"

    def open(self, html: str, hash: str = "", size: tuple[int, int] = WIDE) -> None:
        """Write the page and open it, `size` in CSS pixels."""
        self.file.write_text(html, "utf-8")
        self.visit(f"{self.file.as_uri()}{hash}", size)

    def visit(self, address: str, size: tuple[int, int] = WIDE) -> None:
        """Open what lies on the disk."""
        width, height = size
        self.driver.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": size == PHONE},
        )
        self.driver.get("about:blank")
        self.driver.get(address)

    def show(self, bills, say=lambda row, split, record: {}, rows=None, **more) -> None:
        """Open the page of made-up outputs; arguments as of `outputs` and `open`."""
        given = outputs(bills, say, *([rows] if rows else []))
        self.open(browse.page(**given), **more)

    def js(self, code: str, *arguments):
        return self.driver.execute_script(code, *arguments)

    def text(self, selector: str) -> str:
        return self.js("return document.querySelector(arguments[0]).textContent", selector)

    def texts(self, selector: str) -> list[str]:
        """What all elements of the selector hold."""
        return self.js(
            "return [...document.querySelectorAll(arguments[0])].map((e) => e.textContent)",
            selector,
        )

    def marks(self, selector: str) -> list[tuple[str, str]]:
        """Class and text of each mark in the element."""
        code = "return [...document.querySelectorAll(`${arguments[0]} mark`)]"
        code += ".map((e) => [e.className, e.textContent])"
        return [tuple(mark) for mark in self.js(code, selector)]

    def click(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()

    def press(self, *keys: str) -> None:
        """Press keys where the focus is."""
        # Of the browser, not of the focused element, which a dialog may have hidden as it closed.
        ActionChains(self.driver).send_keys(*keys).perform()

    def until(self, condition: str) -> None:
        """Wait for what the browser does in its own time: a condition in JavaScript."""
        WebDriverWait(self.driver, 10, 0.02).until(lambda _: self.js(f"return {condition}"))

    def choose(self, select: str, value: str) -> None:
        code = "const s = document.getElementById(arguments[0]); s.value = arguments[1];"
        self.js(f"{code} s.dispatchEvent(new Event('change', {{bubbles: true}}))", select, value)

    def listed(self) -> list[str]:
        """The bills of the list, by id."""
        return self.texts("#bills button > span:first-child b")

    def bill(self) -> str:
        """The bill that is shown, by id."""
        (current,) = self.texts("#bills [aria-current] > span:first-child b")
        return current

    def hash(self) -> str:
        return self.driver.current_url.partition("#")[2]


@pytest.fixture
def page(chromium, tmp_path):
    yield from _watched(chromium, tmp_path, complaints=("SEVERE", "WARNING"))


@pytest.fixture
def report(chromium, tmp_path):
    """A page of Snakemake's own making, which warns of its own parts."""
    yield from _watched(chromium, tmp_path, complaints=("SEVERE",))


def _watched(chromium, folder: Path, complaints: tuple[str, ...]):
    """A page that, in the end, has said nothing of that kind and asked no network."""
    for kind in ("browser", "performance"):
        chromium.get_log(kind)
    yield Page(chromium, folder)
    said = [line for line in chromium.get_log("browser") if line["level"] in complaints]
    assert not said
    events = [json.loads(line["message"])["message"] for line in chromium.get_log("performance")]
    asked = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert asked and all(url.startswith(("file:", "data:", "blob:")) for url in asked), asked
