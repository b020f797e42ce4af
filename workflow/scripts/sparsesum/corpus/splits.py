"""Which files of a corpus's source are a split's: by their names, on this disk as on the Hub."""

import os
import re
from collections.abc import Iterable
from pathlib import Path

from sparsesum.base.errors import InputError
from sparsesum.corpus import formats

DEEPEST = 3
"""Folders between a source and a file of it, as in data/CONFIGURATION/SPLIT/."""


def choose(names: Iterable[str], split: str, configuration: str | None = None) -> list[str]:
    """The files of a split, sorted, among those of `names`: paths in the source, with "/".

    Of split NAME these are NAME.jsonl, or shards NAME-*.jsonl, or all in a folder NAME/; for .jsonl
    stands any of `formats.ENDINGS`, for NAME also us_NAME, and for both NAME_data_final_OFFICIAL,
    as BillSum's authors call it. They lie in the source or its data/; of a `configuration` in the
    folder of that name, with a data/ in or around it. Where no configuration is given, and none of
    the files are in the source or its data/, the one folder that has such files is taken. An
    InputError where there are none, or several such folders.
    """
    names = sorted(names)
    if configuration is not None:
        found = _found(names, split, _places(configuration))
        searched = f"in {configuration}/ or data/{configuration}/"
    else:
        found = _found(names, split, ["", "data/"])
        searched = "here, in data/ or in one other folder (key configuration)"
        if not found:
            inner = {name.removeprefix("data/").partition("/")[0] for name in names if "/" in name}
            each = {name: _found(names, split, _places(name)) for name in sorted(inner)}
            having = [name for name, files in each.items() if files]
            if len(having) > 1:
                raise InputError(
                    f"split '{split}' is there in several folders, {', '.join(having[:8])}; set "
                    "the corpus's key configuration to one of them"
                )
            found = each[having[0]] if having else []
    if not found:
        kinds = dict.fromkeys(re.sub(r"-\d+-of-\d+", "-*", name) for name in names)
        raise InputError(
            f"no split '{split}'; allowed is {split}.jsonl, {split}-*.jsonl or {split}/*.jsonl, "
            f"{searched}, or for .jsonl {formats.ALLOWED.removeprefix('.jsonl, ')}; there is "
            + (", ".join([*kinds][:12]) or "nothing")
        )
    return found


def files(folder: Path, split: str, configuration: str | None = None) -> list[Path]:
    """The files of a split in a folder, in the order of their names; InputErrors as of `choose`."""
    there = []
    deepest = DEEPEST + (configuration or "").count("/")
    for place, folders, names in os.walk(folder, followlinks=True):
        depth = len(Path(place).relative_to(folder).parts)
        folders[:] = [name for name in folders if not name.startswith(".") and depth < deepest]
        there += [Path(place, name) for name in names]
    # Where it may not be asked, Path.is_file raises an error.
    there = [path for path in there if os.path.isfile(path)]  # noqa: PTH113
    names = [path.relative_to(folder).as_posix() for path in there]
    try:
        return [folder / name for name in choose(names, split, configuration)]
    except InputError as error:
        raise InputError(f"{folder}: {error}") from None


def _places(configuration: str) -> list[str]:
    return [f"{configuration}/", f"{configuration}/data/", f"data/{configuration}/"]


def _found(there: list[str], split: str, places: list[str]) -> list[str]:
    """The files among those `there` that are called in the first way that any is called in."""
    stems = [split, f"us_{split}"]
    stems += [f"{stem}_data_final_OFFICIAL" for stem in stems]
    beside = [way for end in formats.ENDINGS for way in ((end, _is_file), (end, _is_shard))]
    within = [(end, _is_inner) for end in formats.ENDINGS]
    for start in (place + stem for place in places for stem in stems):
        tails = {name: name[len(start) :] for name in there if name.startswith(start)}
        for end, called in [*beside, *within] if tails else []:
            if found := [name for name, tail in tails.items() if called(tail, end)]:
                return found
    return []


def _is_file(tail: str, end: str) -> bool:
    """Whether a name ends, after the split's, as that of a file of its own."""
    return tail == end


def _is_shard(tail: str, end: str) -> bool:
    """... as that of a shard, in the same folder."""
    return tail.startswith("-") and "/" not in tail and formats.ending(tail) == end


def _is_inner(tail: str, end: str) -> bool:
    """... as that of a file of records in a folder that is called as the split."""
    name = tail[1:]
    if not tail.startswith("/") or "/" in name or formats.ending(name) != end:
        return False
    if end == ".arrow":  # save_to_disk's; beside it `map` leaves its caches
        return name.startswith("data")
    return not name.startswith(".") and name not in ("state.json", "dataset_info.json")
