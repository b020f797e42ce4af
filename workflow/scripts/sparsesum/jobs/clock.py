"""Inputs that are newer than the present, by the clock of this machine."""

from collections.abc import Iterable
from pathlib import Path

from sparsesum.base.errors import InputError

HARMLESS = 10
"""Seconds that a network disk's clock may be ahead: the shortest job takes about as long."""


def check(paths: Iterable[str], now: float) -> None:
    """An InputError for the first file that was changed after `now`, in seconds since 1970.

    What a job makes of it would be older than it, and Snakemake deletes that once the job is done.
    What is not there yet will be made, and is left out.
    """
    for path in paths:
        try:
            ahead = Path(path).stat().st_mtime - now
        except OSError:
            continue
        if ahead > HARMLESS:
            raise InputError(
                f"{path}: changed {_words(ahead)} from now by this machine's clock, so that "
                "Snakemake would throw away what is made from it; set the clock, or `touch` the "
                "file; nothing was made or deleted"
            )


def _words(seconds: float) -> str:
    """A time in the largest unit that has two of it: 90 min."""
    for unit, size in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{seconds:.0f} s"
