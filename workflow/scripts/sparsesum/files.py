"""Files that appear whole or not at all."""

import csv
import hashlib
import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


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
        _share(draft)
        if draft.is_dir():
            _remove(path)
        draft.replace(path)
    finally:
        _remove(draft)


@contextmanager
def resumable(folder: str | Path, identity: dict) -> Iterator[Path]:
    """Like `whole` for a folder that takes long to fill: an interrupted draft is given again.

    So it is if it was made under an equal `identity` (plain JSON): what determines its contents.
    Any other draft is thrown away. A fault leaves the draft where it is.
    """
    folder = Path(folder)
    draft = folder.with_name(f".{folder.name}.draft")
    mark = draft / "identity.json"
    if not (mark.is_file() and read_json(mark) == identity):
        _remove(draft)
        draft.mkdir(parents=True)
        write_json(mark, identity)
    yield draft
    mark.unlink()
    _share(draft)
    _remove(folder)
    draft.replace(folder)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)


def _share(draft: Path) -> None:
    """Give files the usual permissions: safetensors makes them for their owner alone."""
    umask = os.umask(0)
    os.umask(umask)
    for file in [draft, *draft.rglob("*")]:
        if file.is_file():
            file.chmod(0o666 & ~umask)


def write_json(path: str | Path, value: object) -> None:
    """One JSON document, indented, with a newline at its end."""
    with whole(path) as draft:
        draft.write_text(json.dumps(value, indent=2) + "\n")


def read_json(path: str | Path) -> dict:
    """The JSON document in a file that this project wrote."""
    return json.loads(Path(path).read_text())


def write_jsonl(path: str | Path, records: Iterable[dict]) -> None:
    """A JSON object a line; plain ASCII, so that any text (a lone surrogate, say) survives."""
    with whole(path) as draft, draft.open("w") as file:
        file.writelines(json.dumps(record) + "\n" for record in records)


def read_jsonl(path: str | Path) -> list[dict]:
    """The records of a JSON Lines file that this project wrote."""
    with Path(path).open() as file:
        return [json.loads(line) for line in file]


def sha256(path: str | Path) -> str:
    """The SHA-256 of a file's bytes, in hexadecimal."""
    with Path(path).open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def read_csv(path: str | Path) -> list[dict[str, str]]:
    """The lines of a CSV file with a header, every cell as text."""
    with Path(path).open(newline="") as file:
        return list(csv.DictReader(file))
