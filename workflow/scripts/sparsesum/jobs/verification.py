"""What no longer matches: files that are not what their job wrote, or whose inputs have changed."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sparsesum.base import files
from sparsesum.jobs import provenance, sources

NO_ARTIFACTS = ("logs", "benchmarks", "damaged")
UNRECORDED = (
    "README.md",
    "report.zip",
    "report.html",
    *(f"provenance.{kind}" for kind in ("md", "html")),
)
"""Files about the artifacts, which no record names."""


@dataclass
class Verification:
    """Of all records below a folder.

    files: outputs that were looked at; damaged, gone: those that are not what their job wrote, or
    not there; unknown: files that no record names; outdated: by input, the outputs that were made
    from another content of it than there is now; unreadable: records.
    """

    records: int = 0
    files: int = 0
    damaged: list[str] = field(default_factory=list)
    gone: list[str] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)
    unreadable: list[str] = field(default_factory=list)
    outdated: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))

    @property
    def matches(self) -> bool:
        """Whether there is nothing to tell."""
        faults = (self.damaged, self.gone, self.unknown, self.unreadable, self.outdated)
        return not any(faults)


def verify(folder: Path, report: Callable[[int], None] = lambda done: None) -> Verification:
    """Hash every artifact below `folder` and every input again, and compare with the records.

    Of code it is what decides bytes that is compared (`sources.digest`).

    report: called with the number of records done.
    """
    found = Verification()
    hashes: dict[str, str | None] = {}
    known = {f"{folder}/{name}" for name in (provenance.NAME, *UNRECORDED)}
    jobs: list[tuple[dict[str, Any], dict[str, Any]]] = []

    def now(path: str) -> str | None:
        if path not in hashes:
            hashes[path] = files.sha256(path) if Path(path).is_file() else None
        return hashes[path]

    for record in records(folder):
        found.records += 1
        known.add(str(record))
        try:
            said = files.read_json(record)
            outputs, inputs = said["outputs"], said["inputs"]
            code = dict(said["params"].get("code", {}))
        except (ValueError, KeyError, TypeError, AttributeError):
            found.unreadable.append(str(record))
            continue
        jobs.append((inputs, outputs))
        for file in _changed(code):
            found.outdated[f"workflow/scripts/{file}"].append(next(iter(outputs)))
        known |= outputs.keys()
        found.files += len(outputs)
        for path, digest in outputs.items():
            if now(path) is None:
                found.gone.append(path)
            elif now(path) != digest:
                found.damaged.append(path)
        report(found.records)
    # What is damaged has not changed: its job would write it as it was.
    excused = {*found.damaged, *found.gone}
    for inputs, outputs in jobs:
        for path, digest in inputs.items():
            if now(path) != digest and path not in excused:
                found.outdated[path].append(next(iter(outputs)))
    found.unknown += sorted(
        str(path)
        for path in folder.rglob("*")
        if path.is_file() and str(path) not in known and not _is_beside(path.relative_to(folder))
    )
    return found


def _changed(code: dict[str, str]) -> list[str]:
    """The modules whose digest is another than the recorded one."""
    return [file for file, digest in code.items() if sources.digest(file) != digest]


def records(folder: Path) -> list[Path]:
    """All records below a folder."""
    paths = [path for path in folder.rglob(f"*{provenance.NAME}") if path.parent != folder]
    paths += folder.glob(f"*.{provenance.NAME}")
    return sorted(path for path in paths if not _is_beside(path.relative_to(folder)))


def _is_beside(path: Path) -> bool:
    """Whether a path below the results is no artifact: a log, a draft, or moved aside."""
    return path.parts[0] in NO_ARTIFACTS or any(part.startswith(".") for part in path.parts)
