"""What all pictures share: colours, and files that are the same twice."""

from pathlib import Path

import matplotlib

matplotlib.use("svg")
# The same bytes twice: no date in the file, no random ids.
matplotlib.rcParams.update({"svg.hashsalt": "sparsesum", "svg.fonttype": "none"})

import matplotlib.pyplot as plt  # noqa: E402 - after the backend is chosen

COLOURS = ["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"]
"""Okabe and Ito's palette, which the colour-blind can tell apart."""


def save(figure: plt.Figure, path: Path) -> None:
    """Write a figure as SVG, and forget it."""
    figure.savefig(path, format="svg", metadata={"Date": None}, bbox_inches="tight")
    plt.close(figure)
