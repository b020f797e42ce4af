"""What made an artifact: hashes of what went in, settings, versions, commit, machine.

A record is a JSON file beside the artifact: provenance.json in a folder's, NAME.provenance.json
beside a file NAME.ending. Whoever reads the artifact compares it with its record first.
"""

import json
import os
import platform
import subprocess
import time
from collections.abc import Iterable
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from sparsesum.base import files
from sparsesum.base.errors import InputError
from sparsesum.jobs import sources

NAME = "provenance.json"
RESULTS = "results"

STACK = """
    accelerate bert-score bitsandbytes datasets evaluate markdown-it-py matplotlib numpy pandas peft
    pyarrow rouge-score safetensors scipy snakemake text2num tokenizers torch transformers
""".split()
"""The packages whose versions are recorded."""

OF_ANOTHER = {"GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_COMMON_DIR", "GIT_PREFIX"}
"""What git sets for its hooks, which would lead it to their repository."""


@dataclass
class Record:
    """Of one job: what it was given. `device` is set by a job that computes on one.

    code: the SHA-256 of each file of it that ran, below workflow/scripts. held: contexts that end
    once the record is written: before that a job's outputs are not safe.
    """

    rule: str
    wildcards: dict[str, Any]
    params: dict[str, Any]
    inputs: dict[str, str]
    versions: dict[str, str]
    code: dict[str, str]
    device: str | None = None
    held: ExitStack = field(default_factory=ExitStack)
    started: float = field(default_factory=time.perf_counter)

    @property
    def identity(self) -> dict[str, Any]:
        """What determines the outputs' bytes, on one kind of device; plain JSON."""
        given = {"rule": self.rule, "wildcards": self.wildcards, "params": self.params}
        return given | {"inputs": self.inputs, "versions": self.versions}

    def scratch(self, path: str | Path, device: str) -> Path:
        """`files.scratch` of this job on a `device`, until the record is written."""
        return self.held.enter_context(files.scratch(path, self.identity | {"device": device}))

    def write(self, path: str | Path, outputs: Iterable[str]) -> None:
        """Write the record of `outputs`, which are there by now, and of all else in a folder's."""
        path = Path(path)
        if path.name == NAME:
            found = (file for file in sorted(path.parent.rglob("*")) if file.is_file())
            outputs = dict.fromkeys([*outputs, *(str(file) for file in found if file != path)])
        settings = [self.params, *(v for v in self.params.values() if isinstance(v, dict))]
        files.write_json(
            path,
            {
                **self.identity,
                "outputs": {output: files.sha256(output) for output in outputs},
                "code": self.code,
                "seed": next((s["seed"] for s in settings if "seed" in s), None),
                "device": self.device,
                "machine": {
                    "host": platform.node(),
                    "system": platform.platform(),
                    "python": platform.python_version(),
                },
                "git": commit(Path(__file__).parent),
                "made": datetime.now(UTC).isoformat(timespec="seconds"),
                "seconds": round(time.perf_counter() - self.started, 3),
            },
        )


def begin(
    rule: str,
    wildcards: dict[str, Any],
    params: dict[str, Any],
    inputs: Iterable[str],
    code: Iterable[str] = (),
) -> Record:
    """The record of a job that starts now; an InputError where an input is damaged (`checked`).

    code: files that the job runs, below workflow/scripts; what they import is recorded, too.
    """
    # As it will be read back, so that two identities compare.
    params = json.loads(json.dumps(params, default=str))
    ran = {file: files.sha256(sources.SCRIPTS / file) for file in sources.closure(*code)}
    return Record(rule, wildcards, params, checked(inputs), versions(), ran)


def checked(inputs: Iterable[str]) -> dict[str, str]:
    """The SHA-256 of each input.

    One that is not what its job wrote is moved aside, so that the next run rebuilds it, and an
    InputError says so.
    """
    hashes, damaged = {}, []
    for path in inputs:
        hashes[path] = files.sha256(path)
        for record in records_near(Path(path)):
            try:
                said = files.read_json(record).get("outputs", {}).get(path)
            except (ValueError, AttributeError):  # no JSON, or no record
                damaged.append(_moved_aside(record))
                break
            if said is not None:
                if said != hashes[path]:
                    damaged.append(_moved_aside(Path(path)))
                break
    if damaged:
        raise InputError(
            f"{', '.join(damaged)}: not what the job wrote that made it (a damaged disk? edited?), "
            "and moved aside; run the same command again, which rebuilds it"
        )
    return hashes


def records_near(path: Path) -> list[Path]:
    """The records that may be of the artifact at `path`: its own, or that of a folder it is in."""
    # What came from elsewhere is not ours to judge, or to move.
    if path.parts[0] != RESULTS or ".." in path.parts:
        return []
    # results/ itself is no artifact: its provenance.json gathers the others.
    folders = [folder for folder in path.parents if len(folder.parts) > 1]
    places = [path.with_suffix(f".{NAME}"), *(folder / NAME for folder in folders)]
    return [place for place in places if place.is_file()]


def _moved_aside(path: Path) -> str:
    """Move results/X to results/damaged/X, where no job looks for it or removes it."""
    aside = Path(RESULTS, "damaged", *path.parts[1:])
    aside.parent.mkdir(parents=True, exist_ok=True)
    path.replace(aside)
    return f"{path} (now {aside})"


def versions() -> dict[str, str]:
    """The versions of the stack's packages, of those that are installed."""
    found = {}
    for name in STACK:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def commit(folder: Path) -> dict[str, Any] | None:
    """The git commit that a folder is of, and whether nothing was changed since; None outside.

    Of a repository that does not have the folder's files, such as that of a home folder around a
    copy, it is none.
    """
    # A hook of git's, or what it starts, is told of the repository that it belongs to.
    own = {name: value for name, value in os.environ.items() if name not in OF_ANOTHER}

    def git(*arguments: str) -> str:
        # Without a lock: it would be in the way of what somebody does in the repository meanwhile.
        command = ["git", "--no-optional-locks", "-C", str(folder), *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=own)
        return done.stdout.strip()

    try:
        git("ls-files", "--error-unmatch", ".")
        changes = git("status", "--porcelain")
        return {"commit": git("rev-parse", "HEAD"), "clean": not changes}
    except (OSError, subprocess.CalledProcessError):
        return None
