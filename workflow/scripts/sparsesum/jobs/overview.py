"""A whole run in one line: what of the rows is done, and how long the rest will take."""

import csv
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import NamedTuple

PROBE = "probe"
"""The line of the file of durations that has `probe`'s seconds on the same machine."""

TRUST = 60.0
"""Seconds of jobs after which what this run took counts as much as what was expected."""


class Planned(NamedTuple):
    """A job of a run. `share`: of the machine's cores, 0..1; `seconds`: expected, None: unknown."""

    rule: str
    share: float
    seconds: float | None


def durations(file: Path) -> dict[str, float]:
    """Seconds of a job of each rule on the machine where they were measured, and of the PROBE."""
    lines = [line for line in file.read_text("utf-8").splitlines() if not line.startswith("#")]
    return {row["rule"]: float(row["seconds"]) for row in csv.DictReader(lines, delimiter="\t")}


def benchmark(file: Path) -> float | None:
    """The seconds that Snakemake wrote of an earlier run of a job; None where there are none."""
    try:
        with file.open(encoding="utf-8") as lines:
            return float(next(csv.DictReader(lines, delimiter="\t"))["s"])
    except (OSError, ValueError, LookupError, StopIteration):
        return None


def probe() -> float:
    """Seconds that this machine takes for a little arithmetic: how fast it is, roughly."""

    def once() -> float:
        start = time.perf_counter()
        sum(number * number for number in range(200_000))
        return time.perf_counter() - start

    return min(once() for _ in range(5))


def spoken(seconds: float) -> str:
    """A duration, rounded as one would say it."""
    if seconds < 55:
        return f"{max(5, round(seconds / 5) * 5)} s"
    minutes = max(1, round(seconds / 60))
    hours, rest = divmod(minutes, 60)
    return f"{hours} h {rest:02} min" if hours else f"{minutes} min"


class Overview:
    """The state of a run, told by which of its jobs began and ended.

    jobs: by number, those that will run. steps: of which rules a row needs a job each, by the word
    for what such a job has done, in the order of the words. slower: how many times as long as
    expected this machine is thought to take; what its jobs take corrects it.
    """

    def __init__(
        self,
        jobs: Mapping[int, Planned],
        steps: Mapping[str, Iterable[str]],
        slower: float = 1.0,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.jobs, self.clock = jobs, clock
        self.word = {rule: word for word, rules in steps.items() for rule in rules}
        words = Counter(self.word.get(job.rule) for job in jobs.values())
        self.rows = {word: words[word] for word in steps if words[word]}
        known = [job.seconds for job in jobs.values() if job.seconds is not None]
        # Where a few are unknown, a new rule's say, they count as most others do.
        middle = statistics.median(known) if 2 * len(known) > len(jobs) else None
        self.expected = {
            number: (middle if job.seconds is None else job.seconds) * job.share
            for number, job in jobs.items()
            if middle is not None
        }
        self.slower = slower
        self.began: dict[int, float] = {}
        self.ended: dict[int, float] = {}

    def begin(self, number: int) -> None:
        """A job has begun."""
        self.began[number] = self.clock()

    def end(self, number: int) -> None:
        """A job has ended well."""
        if number in self.jobs:
            self.ended[number] = self.clock()

    @property
    def left(self) -> float | None:
        """Seconds that the rest will take; None where nobody knows."""
        if not self.expected:
            return None
        now = self.clock()
        took = sum(
            (end - self.began.get(number, end)) * self.jobs[number].share
            for number, end in self.ended.items()
        )
        expected = sum(self.expected[number] for number in self.ended)
        slower = (took + TRUST * self.slower) / (expected + TRUST)
        rest = 0.0
        for number, seconds in self.expected.items():
            if number not in self.ended:
                since = now - self.began[number] if number in self.began else 0.0
                rest += max(0.0, seconds * slower - since * self.jobs[number].share)
        return rest

    def plan(self, what: str, cores: int) -> str:
        """What will be done, before it is: `what` is made of what."""
        rows = max(self.rows.values(), default=0)
        text = f"{what}: {f'{rows} rows, ' if rows else ''}{len(self.jobs)} jobs"
        if (left := self.left) is not None:
            text += f", about {spoken(left)} on {cores} core{'s' if cores > 1 else ''} here"
        return text

    def line(self) -> str:
        """How far the run is, in less than the 80 columns of a terminal."""
        done = Counter(self.word.get(self.jobs[number].rule) for number in self.ended)
        rows = ", ".join(f"{done[word]}/{count} {word}" for word, count in self.rows.items())
        jobs = f"{len(self.ended)}/{len(self.jobs)} jobs"
        text = f"rows: {rows}; {jobs}" if rows else jobs
        if (left := self.left) is not None and len(self.ended) < len(self.jobs):
            text += f"; {spoken(left)} left"
        return text
