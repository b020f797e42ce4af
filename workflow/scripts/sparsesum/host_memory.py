"""How much of the machine's memory this process may still take."""

from pathlib import Path

import psutil

LIMITS = {
    # v1, v2: the limit's file and that of what is used
    "memory.limit_in_bytes": "memory.usage_in_bytes",
    "memory.max": "memory.current",
}


def available(root: Path = Path("/")) -> int:
    """Bytes: what is free, or what the limit of a control group leaves, whichever is less.

    SLURM and containers limit a job by a control group; the kernel kills who goes beyond. The file
    system's `root` is another in tests.
    """
    return min([psutil.virtual_memory().available, *_left(root)])


def _left(root: Path) -> list[int]:
    """Bytes that the process's control groups leave, of those that have a limit."""
    found = []
    try:
        lines = (root / "proc/self/cgroup").read_text().splitlines()
    except OSError:  # not Linux
        return found
    for line in lines:
        _, controllers, group = line.split(":", 2)
        if controllers not in ("", "memory"):
            continue
        top = root / "sys/fs/cgroup" / controllers
        folder = top / group.lstrip("/")
        for place in [folder, *folder.parents]:  # a group has its parents' limits as well
            if not place.is_relative_to(top):
                break
            found += [
                int(limit) - int((place / used).read_text())
                for name, used in LIMITS.items()
                if (place / name).is_file()
                and (limit := (place / name).read_text().strip()).isdecimal()
            ]
    return [max(0, left) for left in found]
