"""Locks that a killed Snakemake left, distinguished from those of a live one."""

import fcntl
import platform
import shutil
from pathlib import Path
from typing import IO


def clear_stale(folder: Path) -> IO[str] | None:
    """Remove folder/locks if the process that made it is gone, and say in folder/alive that we are.

    The returned file must stay open for as long as the process lives: it holds a shared lock that
    the system takes back, however the process ends. Whoever can get an exclusive one knows that
    nobody else is there. None on a file system without such locks; then nothing is removed.
    """
    folder.mkdir(parents=True, exist_ok=True)
    file = (folder / "alive").open("a+", encoding="utf-8")
    try:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            pass
        else:
            file.seek(0)
            # A file system may keep such locks to each machine: judge only those of this one.
            if file.read() == platform.node() and (folder / "locks").is_dir():
                shutil.rmtree(folder / "locks")
        fcntl.flock(file, fcntl.LOCK_SH)
    except OSError:
        file.close()
        return None
    file.truncate(0)
    file.write(platform.node())
    file.flush()
    return file
