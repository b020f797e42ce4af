"""Where a model, corpus or encoder comes from: a folder on this disk, or the Hugging Face Hub.

What is on the Hub is fetched by rule `fetch` alone, which leaves a manifest; every other job finds
the files by it, and never asks the Hub.
"""

import re
from collections.abc import Sequence
from pathlib import Path

from sparsesum.base import files
from sparsesum.base.errors import InputError

HUB_ID = re.compile(r"\w[\w.-]*/\w[\w.-]*", re.ASCII)
"""The parts become names of files: neither is "..".."""


def is_hub(source: str) -> bool:
    """Whether a source is a Hub id ("owner/name") and no folder that is there."""
    return not Path(source).exists() and HUB_ID.fullmatch(source) is not None


def name(source: str) -> str:
    """A source's name on the Hub, without its owner's; "" where it is a folder."""
    return source.partition("/")[2] if is_hub(source) else ""


def folder(source: str, manifest: Sequence[str] = ()) -> Path:
    """The folder with a source's files.

    `manifest` is the path of what rule `fetch` wrote of a source on the Hub, empty for a local
    folder. Raises InputError if there is no such folder, or if files of the manifest are gone.
    """
    if manifest:
        return _fetched(Path(manifest[0]))
    try:
        path = Path(source).expanduser()
    except RuntimeError:  # the home of somebody that there is not
        path = Path(source)
    if not path.is_dir():
        raise InputError(f"source '{source}': no such folder, and no Hub id (owner/name)")
    return path


def _fetched(manifest: Path) -> Path:
    """The folder of a manifest, all of whose files must be there in their size."""
    fetched = files.read_json(manifest)
    place = Path(fetched["folder"])
    for name, file in fetched["files"].items():
        path = place / name
        if not path.is_file() or path.stat().st_size != file["bytes"]:
            raise InputError(
                f"{path}: fetched once, and not there any more as it was; delete {manifest} and "
                "run the target `download` again, with the same --configfile, where there is a "
                "network"
            )
    return place
