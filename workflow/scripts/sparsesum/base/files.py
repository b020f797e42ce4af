"""Files that appear whole or not at all."""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a path beside `path` to write a file or folder to; move it to `path` if all went well.

    What stood at `path` is there until the moment its successor is complete. A draft that a killed
    process left is thrown away by the next.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.draft")
    _remove(draft)
    try:
        yield draft
        _settle(draft)
        if draft.is_dir():
            _remove(path)
        draft.replace(path)
    finally:
        _remove(draft)


@contextmanager
def scratch(path: str | Path, identity: dict[str, Any]) -> Iterator[Path]:
    """A folder beside `path` for what a long job resumes from when it is broken off.

    What an earlier run left there is given again if it was left under an equal `identity` (plain
    JSON): what determines the outcome. Anything else is thrown away. A fault leaves the folder
    where it is; without one it is removed.
    """
    path = Path(path)
    folder = path.with_name(f".{path.name}.scratch")
    mark = folder / "identity.json"
    try:
        same = read_json(mark) == identity
    except (OSError, ValueError):
        same = False
    if not same:
        _remove(folder)
        folder.mkdir(parents=True)
        write_json(mark, identity)
    yield folder
    # The job is done. What cannot be removed yet, such as a file on NFS that is still mapped, is
    # of no arguments from now on, and thrown away by the next.
    mark.unlink(missing_ok=True)
    shutil.rmtree(folder, ignore_errors=True)


def _remove(path: Path) -> None:
    if path.is_dir() and not path.is_symlink():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _settle(draft: Path) -> None:
    """Give files the usual permissions, and have them on the disk before they get their name.

    safetensors makes files for their owner alone; and a file that was renamed before its contents
    were written is empty after a power cut.
    """
    umask = os.umask(0)
    os.umask(umask)
    for path in [*draft.rglob("*"), draft]:
        if path.is_file():
            path.chmod(0o666 & ~umask)
        sync(path)


def sync(path: Path) -> None:
    """Return when a file or folder is on the disk."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def write_json(path: str | Path, value: object) -> None:
    """One JSON document, indented, with a newline at its end. A ValueError for NaN or infinity."""
    with whole(path) as draft:
        draft.write_text(json.dumps(value, indent=2, allow_nan=False) + "\n", encoding="utf-8")


def read_json(path: str | Path) -> dict[str, Any]:
    """The JSON document in a file that this project wrote."""
    return json.loads(Path(path).read_text(encoding="utf-8"))


def write_jsonl(path: str | Path, records: Iterable[dict[str, Any]]) -> None:
    """A JSON object a line; plain ASCII, so that any text (a lone surrogate, say) survives.

    A ValueError for NaN or infinity, which are no JSON.
    """
    with whole(path) as draft, draft.open("w", encoding="utf-8") as file:
        file.writelines(json.dumps(record, allow_nan=False) + "\n" for record in records)


def read_jsonl(path: str | Path) -> list[dict[str, Any]]:
    """The records of a JSON Lines file that this project wrote."""
    with Path(path).open(encoding="utf-8") as file:
        return [json.loads(line) for line in file]


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """The lines of a CSV file with a header, every cell as text."""
    with Path(path).open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))
