"""Where a job's seconds went."""

import time
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager


class Stopwatch:
    """Seconds by stage; those of a stage within another count for the inner one alone.

    >>> clock = Stopwatch()
    >>> with clock("train"):
    ...     with clock("save"):  # stops the seconds of "train"
    ...         pass
    >>> clock.seconds  # {"train": 0.1, "save": 2.3}
    """

    def __init__(self) -> None:
        self.seconds: dict[str, float] = defaultdict(float)
        self._inner = [0.0]

    @contextmanager
    def __call__(self, stage: str) -> Iterator[None]:
        """Count what is done within to `stage`."""
        start = time.perf_counter()
        self._inner.append(0.0)
        try:
            yield
        finally:
            spent = time.perf_counter() - start
            self.seconds[stage] += spent - self._inner.pop()
            self._inner[-1] += spent
