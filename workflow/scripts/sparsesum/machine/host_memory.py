"""How much of the machine's memory this process may still take."""

from pathlib import Path

import psutil

LIMITS = {
    # v1, v2: the limit's file, that of what is used, and of that the part which files have cached
    "memory.limit_in_bytes": ("memory.usage_in_bytes", "total_inactive_file"),
    "memory.max": ("memory.current", "inactive_file"),
}


def available(root: Path = Path("/")) -> int:
    """Bytes: what is free, or what the limit of a control group leaves, whichever is less.

    SLURM and containers limit a job by a control group; the kernel kills who goes beyond. The file
    system's `root` is another in tests.
    """
    return min([psutil.virtual_memory().available, *_left(root)])


def _left(root: Path) -> list[int]:
    """Bytes that the process's control groups leave, of those that have a limit."""
    found = []  # type: list[int]
    try:
        lines = (root / "proc/self/cgroup").read_text(encoding="utf-8").splitlines()
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
            for name, (usage, cached) in LIMITS.items():
                if not (place / name).is_file():
                    continue
                limit = (place / name).read_text(encoding="utf-8").strip()
                if limit.isdecimal():  # v2 has "max" for none
                    statistics = dict(
                        map(str.split, (place / "memory.stat").open(encoding="utf-8"))
                    )
                    used = int((place / usage).read_text(encoding="utf-8")) - int(
                        statistics.get(cached, 0)
                    )
                    found.append(max(0, int(limit) - used))
    return found
