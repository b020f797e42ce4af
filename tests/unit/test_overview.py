"""The line about a whole run, from jobs that begin and end at known times."""

from pathlib import Path

import pytest

from sparsesum.jobs import overview
from sparsesum.jobs.overview import Overview, Planned

ROOT = Path(__file__).resolve().parents[2]
STEPS = {"trained": ("full", "qlora"), "scored": ("score",)}


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock() -> Clock:
    return Clock()


def run(clock, seconds=20.0, slower=1.0) -> Overview:
    jobs = {1: Planned("full", 1.0, seconds), 2: Planned("qlora", 1.0, seconds)}
    jobs |= {3: Planned("score", 0.5, seconds), 4: Planned("table3", 0.5, seconds)}
    return Overview(jobs, STEPS, slower, clock)


def test_the_plan_says_what_and_how_long(clock):
    # 20 + 20 on all cores, 20 + 20 on half of them.
    assert run(clock).plan("preset tiny", 2) == (
        "preset tiny: 2 rows, 4 jobs, about 1 min on 2 cores here"
    )
    assert run(clock, slower=10).plan("preset tiny", 1).endswith("about 10 min on 1 core here")


def test_without_durations_no_time_is_said(clock):
    found = run(clock, seconds=None)
    assert found.left is None
    assert found.plan("preset tiny", 2) == "preset tiny: 2 rows, 4 jobs"
    assert found.line() == "rows: 0/2 trained, 0/1 scored; 0/4 jobs"


def test_the_line_counts_rows_and_jobs(clock):
    found = run(clock)
    found.begin(1)
    clock.now = 20
    assert found.left == pytest.approx(40)
    found.end(1)
    assert found.left == pytest.approx(40)
    assert found.line() == ("rows: 1/2 trained, 0/1 scored; 1/4 jobs; 40 s left")
    for number in (2, 3, 4):
        found.begin(number)
        found.end(number)
    assert found.line() == "rows: 2/2 trained, 1/1 scored; 4/4 jobs"


def test_what_jobs_take_corrects_the_estimate(clock):
    found = run(clock)
    found.begin(1)
    clock.now = 80  # four times as long as expected
    found.end(1)
    # (80 + 60) / (20 + 60) times 40 s.
    assert found.left == pytest.approx(70)


def test_a_job_of_an_unknown_rule_counts_as_most_others(clock):
    jobs = {n: Planned("full", 1.0, 10.0) for n in range(3)} | {3: Planned("new", 1.0, None)}
    assert Overview(jobs, STEPS, 1.0, clock).left == pytest.approx(40)


def test_a_job_that_was_not_planned_is_not_counted(clock):
    found = run(clock)
    found.begin(9)
    found.end(9)
    assert "0/4 jobs" in found.line()


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "5 s"), (12, "10 s"), (54, "55 s"), (55, "1 min"), (100, "2 min"), (4000, "1 h 07 min")],
)
def test_durations_as_one_would_say_them(seconds, words):
    assert overview.spoken(seconds) == words


def test_a_benchmark_is_read_and_a_broken_one_is_none(tmp_path):
    file = tmp_path / "x.tsv"
    assert overview.benchmark(file) is None
    file.write_text("s\th:m:s\n1.5\t0:00:01\n")
    assert overview.benchmark(file) == 1.5
    for broken in ("", "s\n", "s\nnone\n", "t\n1\n"):
        file.write_text(broken)
        assert overview.benchmark(file) is None


def test_the_shipped_durations_know_the_rules_that_take_long():
    found = overview.durations(ROOT / "resources" / "durations.tsv")
    assert {"full", "qlora", "generate", "examples", "measure", overview.PROBE} <= found.keys()
    assert all(seconds > 0 for seconds in found.values())
    assert 0 < overview.probe() < 5
