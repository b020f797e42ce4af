"""All that a result was made from: the records of its job, of the jobs before that, and so on."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sparsesum.base import files
from sparsesum.jobs import provenance


def lineage(path: str) -> dict[str, dict[str, Any]]:
    """The records that lead to `path`, by their own paths; its own first, sources last."""
    found: dict[str, dict[str, Any]] = {}
    todo, seen = [path], {path}
    while todo:
        path = todo.pop(0)
        for place in map(str, provenance.records_near(Path(path))):
            record = found.get(place) or files.read_json(place)
            if path in record["outputs"]:
                if place not in found:
                    found[place] = record
                    todo += [source for source in record["inputs"] if source not in seen]
                    seen.update(record["inputs"])
                break
    return found


def gathered(paths: Iterable[str], configuration: dict[str, Any]) -> dict[str, Any]:
    """What the results at `paths` were made by: the configuration, what differed, every record."""
    jobs: dict[str, dict[str, Any]] = {}
    for path in paths:
        jobs |= lineage(path)
    return {
        "results": {path: files.sha256(path) for path in paths},
        "configuration": configuration,
        # One of each, if all was made by one machine from one commit.
        **{
            key: _distinct(job[key] for job in jobs.values())
            for key in ("git", "machine", "device", "versions")
        },
        "jobs": jobs,
    }


def _distinct(values: Iterable[Any]) -> list[Any]:
    """Each value once, in order of appearance; dicts among them."""
    seen = []
    for value in values:
        if value is not None and value not in seen:
            seen.append(value)
    return seen
