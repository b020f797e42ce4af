"""The report and its pages in a browser: all there is to see, without a network or a complaint."""

import zipfile
from pathlib import Path

import pytest

from tests.browser.conftest import PHONE, WIDE

CATEGORIES = {
    "1. Results": {
        "heat map of the grid", "quality against size", "quality against time", "the grid",
        "the grid, all columns, as CSV", "what cheating scores", "which rows differ",
    },
    "2. Reading the outputs": {"all rows side by side"},
    "3. Pruning": {"zeros by layer"},
    "4. Training": {"loss curves"},
    "5. Costs": {"parameters, size, time, memory"},
    "6. Claims": {"the claims"},
    "7. Audit": {"counts and sizes"},
    "8. Provenance": {"what made the results"},
}  # fmt: skip
HOME = "document.querySelector('nav a[href=\"#\"]')"
LINKS = "[...document.querySelectorAll('nav a')]"


@pytest.fixture(scope="session")
def reports(finished, tmp_path_factory) -> dict[str, Path]:
    """The tiny grid's report: unpacked, and as one page."""
    done = finished.snakemake("report")
    assert done.returncode == 0, done.stdout[-5000:]
    found = {}
    for kind in ("zip", "html"):
        done = finished.snakemake("report", "--report", f"results/report.{kind}")
        assert done.returncode == 0, done.stdout[-5000:]
        found[kind] = finished.folder / "results" / f"report.{kind}"
    folder = tmp_path_factory.mktemp("unpacked")
    zipfile.ZipFile(found["zip"]).extractall(folder)
    return found | {"zip": folder / "report" / "report.html"}


def choose(report, category: str) -> None:
    """Click a category in the menu."""
    report.until(f"{LINKS}.some((a) => a.textContent.includes('{category}'))")
    report.js(f"{LINKS}.find((a) => a.textContent.includes(arguments[0])).click()", category)
    report.until("document.querySelectorAll('nav tr').length > 0")


def shown(report) -> set[str]:
    """What a category has."""
    return set(report.texts("nav tbody td:first-child"))


@pytest.mark.parametrize("kind", ["zip", "html"])
def test_everything_can_be_opened(report, reports, kind):
    for category, results in CATEGORIES.items():
        report.visit(reports[kind].as_uri())
        choose(report, category)
        assert shown(report) == results, category
        for name in results:
            if "CSV" in name:
                continue  # a download
            report.js(
                "[...document.querySelectorAll('nav tbody tr')]"
                ".find((r) => r.textContent === arguments[0]).querySelector('a').click()",
                name,
            )
            report.until("document.querySelector('#app iframe, #app img:not(nav img)')")
            frames = report.driver.find_elements("css selector", "#app iframe")
            if frames:
                report.driver.switch_to.frame(frames[0])
                report.until("document.querySelector('table, #cards article')")
                report.driver.switch_to.default_content()
            else:
                report.until("document.querySelector('#app img:not(nav img)').naturalWidth > 300")


def test_the_menu_reads_like_a_papers_sections(report, reports):
    report.visit(reports["zip"].as_uri())
    report.until(f"{LINKS}.some((a) => a.textContent.includes('8.'))")
    said = [text for text in report.texts("nav a") if text[:1].isdigit()]
    assert said == list(CATEGORIES)
    assert "preset" not in report.text("#app .prose")
    assert "tiny" in report.text("#app .prose")


def test_outputs_are_read_within_the_report(report, reports):
    report.visit(reports["html"].as_uri())
    choose(report, "2. Reading")
    report.js("document.querySelector('nav tbody tr a').click()")
    report.until("document.querySelector('#app iframe')")
    report.driver.switch_to.frame(report.driver.find_element("css selector", "#app iframe"))
    report.until("document.querySelector('#cards article')")
    first = report.bill()
    report.js("document.activeElement.blur(); document.getElementById('next').click()")
    assert report.bill() != first
    report.driver.switch_to.default_content()


@pytest.mark.parametrize("size", [WIDE, PHONE])
def test_it_fits_the_screen(report, reports, size):
    report.visit(reports["zip"].as_uri(), size)
    for category in ("1. Results", "5. Costs"):
        report.visit(reports["zip"].as_uri(), size)
        choose(report, category)
        report.js("document.querySelector('nav tbody tr:last-child a').click()")
        report.until("document.querySelector('#app iframe')")
        width = report.js(
            "return document.querySelector('#app iframe').getBoundingClientRect().width"
        )
        assert width > 0.7 * size[0]  # beside the menu, or below it
        assert report.js("return document.documentElement.scrollWidth <= innerWidth")


PAGES = "table3 table_costs comparisons table_cheats claims audit_counts provenance".split()


@pytest.mark.parametrize("size", [WIDE, PHONE])
@pytest.mark.parametrize("name", PAGES)
def test_a_tables_page(page, reports, finished, name, size):
    page.visit((finished.folder / "results" / f"{name}.html").as_uri(), size)
    assert page.js("return document.documentElement.scrollWidth <= innerWidth")
    assert page.text("h1") == page.driver.title
    assert len(page.texts("td")) > 5
    size = page.js("return parseFloat(getComputedStyle(document.querySelector('td')).fontSize)")
    assert size > 12
