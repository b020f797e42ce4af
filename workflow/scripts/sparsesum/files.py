"""Files that appear whole or not at all."""

import json
import os
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def whole(path: str | Path) -> Iterator[Path]:
    """Give a path beside `path` to write a file or folder to; move it to `path` if all went well.

    What stood at `path` is there until the moment its successor is complete.
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    draft = path.with_name(f".{path.name}.{os.getpid()}.draft")
    try:
        yield draft
        if draft.is_dir() and path.is_dir():
            shutil.rmtree(path)
        draft.replace(path)
    finally:
        if draft.is_dir():
            shutil.rmtree(draft)
        else:
            draft.unlink(missing_ok=True)


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
