"""What the tests of the page show, and what they ask of it."""

from outputs import ROWS, bill

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
