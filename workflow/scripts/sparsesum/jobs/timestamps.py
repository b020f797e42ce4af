"""What time stamps say, put right: contents decide, not times.

Snakemake makes a job again when an input is newer than its outputs, unless it has the checksum of
then. Of files above a size (`max-checksum-file-size`) it keeps none: after a copy of results/
hours of training would start again. But each job's record (`provenance`) has the SHA-256 of its
inputs. So what only seems newer can be recognised, at the cost of reading it once.
"""

import math
import os
import stat
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sparsesum.base import files
from sparsesum.jobs import provenance, sources, verification

LONG_AGO = 1.0
"""Older than any file. Not 0: Snakemake takes that for no time at all."""


@dataclass
class Made:
    """A job that was done: the SHA-256 of each input, digests of its code, the files it left."""

    inputs: dict[str, str]
    code: dict[str, str]
    left: list[str]


def put_right(
    folder: Path, larger: int, notes: Path, say: Callable[[str], None]
) -> dict[str, float]:
    """The times to go by, in seconds since 1970, of those files whose own times mislead.

    That is, of the jobs whose records lie below `folder` (results/): an input of more than `larger`
    bytes with the content of then is no newer than what was made from it, and outputs made from
    another content, or by other code, are older than anything. Smaller inputs are left to
    Snakemake's checksums. `notes` is a file of hashes from run to run; `say` is called with a
    message before anything is read.
    """
    jobs = [job for record in verification.records(folder) if (job := _job(folder, record))]
    found = _Found(larger, notes, say)
    while True:
        newer = [(job, path) for job in jobs for path in job.inputs if found.seems_newer(path, job)]
        found.hash({path for _, path in newer})
        lowered = [(job, path) for job, path in newer if found.hashes[path] == job.inputs[path]]
        if not lowered:
            break
        # What lies between two jobs is now older, and so what it was made of may seem newer.
        for job, path in lowered:
            found.times[path] = min(found.times.get(path, math.inf), found.oldest(job))
    found.remember()
    for job in jobs:
        changed = any(found.hashes.get(path, said) != said for path, said in job.inputs.items())
        # Snakemake sees it by its notes of params, which a copy of results/ may have lost.
        if changed or any(sources.digest(file) != said for file, said in job.code.items()):
            found.times |= dict.fromkeys(job.left, LONG_AGO)
    return found.times


def _job(folder: Path, record: Path) -> Made | None:
    """What a record tells; None where it cannot be read."""
    try:
        said = files.read_json(record)
        inputs, outputs = dict(said["inputs"]), list(said["outputs"])
        code = dict(said["params"].get("code", {}))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None
    # A job is as old as its oldest output, the benchmark among them; it has the record's name.
    name = str(record.relative_to(folder))[: -len(provenance.NAME) - 1]
    return Made(inputs, code, [*outputs, str(record), f"{folder}/benchmarks/{name}.tsv"])


class _Found:
    """What is known of the files so far. times: those to go by; hashes: of what was read."""

    def __init__(self, larger: int, notes: Path, say: Callable[[str], None]) -> None:
        self.larger, self.notes, self.say = larger, notes, say
        self.times: dict[str, float] = {}
        self.hashes: dict[str, str | None] = {}
        self.stats: dict[str, tuple[os.stat_result, os.stat_result] | Any] = {}
        self.known: dict[str, Any] = {}
        with suppress(OSError, ValueError, TypeError):
            self.known = dict(files.read_json(notes))

    def stat(self, path: str) -> tuple[os.stat_result, os.stat_result] | None:
        """A file's status and, if it is a link, the link's; None of one that is not there."""
        if path not in self.stats:
            try:
                self.stats[path] = (Path(path).stat(), Path(path).lstat())
            except OSError:
                self.stats[path] = None
        return self.stats[path]

    def oldest(self, job: Made) -> float:
        """When the first of what a job left was made; of nothing, no input is newer."""
        there = [path for path in job.left if self.stat(path)]
        times = (self.times.get(path, self.stats[path][1].st_mtime) for path in there)
        return min(times, default=math.inf)

    def seems_newer(self, path: str, job: Made) -> bool:
        """Whether a large input is newer than what was made from it, and may still be the same."""
        found = self.stat(path)
        if not found or found[0].st_size <= self.larger or not stat.S_ISREG(found[0].st_mode):
            return False
        if self.hashes.get(path, job.inputs[path]) != job.inputs[path]:
            return False
        return self.times.get(path, max(at.st_mtime for at in found)) > self.oldest(job)

    def fingerprint(self, path: str) -> list[int]:
        """What tells without reading that a file was not written to since."""
        at = self.stats[path][0]
        return [at.st_size, at.st_mtime_ns, at.st_ctime_ns, at.st_ino]

    def hash(self, paths: Iterable[str]) -> None:
        """Hash what was not, side by side; what was read in an earlier run is not read again."""
        todo = sorted(set(paths) - self.hashes.keys())
        for path in todo:
            noted = self.known.get(path)
            if isinstance(noted, list) and noted[1:] == self.fingerprint(path):
                self.hashes[path] = noted[0]
        todo = [path for path in todo if path not in self.hashes]
        if not todo:
            return
        size = sum(self.stats[path][0].st_size for path in todo) / 1e9
        self.say(
            f"Reading large files with new time stamps, to see whether they changed: {len(todo)}, "
            f"{size:.1f} GB"
        )
        with ThreadPoolExecutor(min(4, os.cpu_count() or 1)) as pool:
            self.hashes |= zip(todo, pool.map(_sha256, todo), strict=True)

    def remember(self) -> None:
        """Note what was read, for the next run."""
        read = {p: [digest, *self.fingerprint(p)] for p, digest in self.hashes.items() if digest}
        if not read.items() <= self.known.items():
            with suppress(OSError):
                files.write_json(self.notes, self.known | read)


def _sha256(path: str) -> str | None:
    try:
        return files.sha256(path)
    except OSError:  # unreadable: its job will say so
        return None
