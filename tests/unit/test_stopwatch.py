"""Each second counts once."""

import time

import pytest

from sparsesum.jobs.stopwatch import Stopwatch


def test_an_inner_stage_stops_the_outer(monkeypatch):
    now = [0.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    clock = Stopwatch()
    with clock("outer"):
        now[0] += 1
        with clock("inner"):
            now[0] += 2
            with clock("outer"):
                now[0] += 4
        now[0] += 8
    with clock("inner"):
        now[0] += 16
    assert dict(clock.seconds) == {"outer": 13, "inner": 18}


def test_a_fault_is_counted_and_goes_on():
    clock = Stopwatch()
    with pytest.raises(KeyError), clock("stage"):
        raise KeyError
    assert clock.seconds["stage"] >= 0
