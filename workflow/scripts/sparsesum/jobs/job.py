"""What every script's run has in common: a log, and faults reported in one line."""

import errno
import fcntl
import logging
import os
import sys
import time
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from sparsesum.base.errors import InputError

log = logging.getLogger("sparsesum")

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextmanager
def job(name: str, log_file: str, result: str, hub: bool = False) -> Iterator[None]:
    """Run a job's work: messages go to the terminal and to the file `log_file`, under `name`.

    To the terminal only from the level that SPARSESUM_TERMINAL has, by default all.

    Its last line says where the result lies. An InputError, a full disk or too little memory ends
    the process with exit code 1 and one line; any other exception keeps its traceback, on the
    terminal and in the log. A process with the same log is waited for: one is at a job at a time.
    Libraries do not reach the Hugging Face Hub unless `hub`: what jobs need of it is on the disk.
    """
    terminal = logging.StreamHandler()
    terminal.setLevel(os.environ.get("SPARSESUM_TERMINAL", "INFO"))
    handlers: list[logging.Handler] = [terminal]
    # On a full disk the log is lost, and the terminal still has the line that says so.
    logging.raiseExceptions = False
    lock = None
    with suppress(OSError):
        lock = _own(log_file, name)
        handlers.append(logging.FileHandler(log_file, mode="w", encoding="utf-8"))
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
    start = time.perf_counter()
    try:
        yield
    except InputError as error:
        log.error("error: %s", error)
        sys.exit(1)
    except KeyboardInterrupt:  # Ctrl-C in a terminal reaches jobs as well
        log.error("interrupted: run the same command again to resume")
        sys.exit(130)
    except Exception as error:
        if mended := _machine(error):
            log.error("error: %s (%s)", mended, " ".join(str(error).split()) or "MemoryError")
        else:
            log.exception("this is a bug of ours, or the machine's")
        sys.exit(1)
    log.info("%s, after %.1f s", Path(result), time.perf_counter() - start)
    if lock:
        lock.close()


def _own(log_file: str, name: str) -> IO[str]:
    """A locked file beside the log: one process has it at a time, until the system frees it.

    Not the log itself, which Snakemake deletes before a job. A job may be started a second time
    while the first still runs: after a kill of Snakemake on a login node, or from two machines.
    """
    path = Path(log_file)
    lock = path.with_name(f".{path.name}.lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        print(f"{name}: another process is at it: waiting for it to end", file=sys.stderr)
        fcntl.flock(lock, fcntl.LOCK_EX)
    except OSError:  # a file system without locks
        pass
    return lock


def _machine(error: Exception) -> str | None:
    """What to do about an exception that the machine is the cause of; None for any other."""
    text = str(error)
    # safetensors and torch have errors of their own for these, with the system's words in them.
    if getattr(error, "errno", None) in FULL or any(os.strerror(code) in text for code in FULL):
        return "the disk is full: make room, and run the same command again"
    if isinstance(error, MemoryError) or any(
        sign in text
        for sign in ("not enough memory", "CUDA out of memory", "can't allocate memory")
    ):
        return (
            "not enough memory: use a machine with more, or lower batch_size in the config, and "
            "run the same command again"
        )
    return None


class Progress:
    """A line every few seconds: how far, and how long it will still take.

    >>> progress = Progress("prune", 24, "layers")
    >>> progress(3)  # "prune: 3 of 24 layers, 70 s left"
    """

    def __init__(self, what: str, total: int, unit: str, every: float = 5.0) -> None:
        self.what, self.total, self.unit = what, total, unit
        self.every = every
        self.skipped = 0
        self.start = self.said = time.monotonic()

    def skip(self, done: int) -> None:
        """Say that an earlier run did so many units: they tell nothing of this one's pace."""
        self.skipped = done
        log.info("%s: resuming from %d of %d %s", self.what, done, self.total, self.unit)

    def __call__(self, done: int, more: str = "") -> None:
        """Say that `done` units are done, if nothing was said for `every` seconds."""
        now = time.monotonic()
        if now - self.said < self.every or done <= self.skipped:
            return
        self.said = now
        left = (now - self.start) / (done - self.skipped) * (self.total - done)
        tail = f", {more}" if more else ""
        log.info(
            "%s: %d of %d %s, %.0f s left%s", self.what, done, self.total, self.unit, left, tail
        )
