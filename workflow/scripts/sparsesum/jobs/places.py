"""Folders whose names Snakemake and SLURM's plugin put into commands as they are."""

import os
import shlex

from sparsesum.base.errors import InputError


def check(folder: str, characters: str, why: str) -> None:
    """An InputError where a folder's path has one of the characters."""
    found = "".join(character for character in characters if character in folder)
    if found:
        raise InputError(
            f"folder {folder}: its path has {' '.join(found)}, and {why}; rename the folder or "
            "move the project to another"
        )


def interpreter(executable: str, path: str) -> tuple[str, str]:
    """What to call the Python at `executable` in a shell command, and the PATH that finds it so.

    That is its own path where a shell takes it as one word. An InputError where the PATH cannot
    have its folder.
    """
    if shlex.quote(executable) == executable:
        return executable, path
    folder, name = os.path.split(executable)
    check(folder, os.pathsep, "Python is not found there by way of the PATH")
    return name, f"{folder}{os.pathsep}{path}"
