"""What every script's run has in common: a log, and faults told in one line."""

import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sparsesum.errors import InputError


@contextmanager
def job(name: str, log: str, result: str, hub: bool = False) -> Iterator[logging.Logger]:
    """Run a job's work: messages go to the terminal and to the file `log`, under `name`.

    Its last line says where the result lies. An InputError ends the process with exit code 1 and
    that one line; any other exception keeps its traceback, on the terminal and in the log.
    Libraries do not reach the Hugging Face Hub unless `hub`: what jobs need of it is on the disk.
    """
    handlers = [logging.StreamHandler(), logging.FileHandler(log, mode="w")]
    logging.basicConfig(
        level=logging.INFO, format=f"{name}: %(message)s", handlers=handlers, force=True
    )
    logging.captureWarnings(True)
    # What a library will do differently one day is of no use to who runs a pinned version.
    warnings.simplefilter("ignore", FutureWarning)
    # Libraries' progress bars and those of two jobs at once do not mix; Progress says how far.
    os.environ["TQDM_DISABLE"] = "1"
    os.environ["HF_HUB_VERBOSITY"] = "error"  # it sets its level itself, when it is imported
    if not hub:
        os.environ |= {"HF_HUB_OFFLINE": "1", "HF_EVALUATE_OFFLINE": "1"}
    for chatty in (
        "httpx2",
        "filelock",
        "fsspec",
        "urllib3",
        "bitsandbytes",
        "absl",
    ):
        logging.getLogger(chatty).setLevel(logging.ERROR)
    logger = logging.getLogger("sparsesum")
    start = time.perf_counter()
    try:
        yield logger
    except InputError as error:
        logger.error("error: %s", error)
        sys.exit(1)
    except Exception:
        logger.exception("this is a bug of ours, or the machine's")
        sys.exit(1)
    logger.info("%s, after %.1f s", Path(result), time.perf_counter() - start)


class Progress:
    """A line every few seconds: how far, and how long it will still take.

    >>> progress = Progress(logger, "prune", 24, "layers")
    >>> progress(3)  # "prune: 3 of 24 layers, 70 s left"
    """

    def __init__(
        self, logger: logging.Logger, what: str, total: int, unit: str, every: float = 5.0
    ) -> None:
        self.logger, self.what, self.total, self.unit = logger, what, total, unit
        self.every = every
        self.start = self.said = time.monotonic()

    def __call__(self, done: int, more: str = "") -> None:
        """Say that `done` units are done, if nothing was said for `every` seconds."""
        now = time.monotonic()
        if now - self.said < self.every or not done:
            return
        self.said = now
        left = (now - self.start) / done * (self.total - done)
        tail = f", {more}" if more else ""
        self.logger.info(
            "%s: %d of %d %s, %.0f s left%s", self.what, done, self.total, self.unit, left, tail
        )
