"""How far files are ahead of the clock."""

import os
from pathlib import Path

import pytest

from sparsesum.base.errors import InputError
from sparsesum.jobs import clock


def test_a_file_of_the_future_is_named_with_how_far_it_is_ahead(tmp_path: Path):
    now = 1_000_000.0
    files = [tmp_path / name for name in ("old", "new", "newest")]
    for file, change in zip(files, (now - 1, now + 5, now + 4000), strict=True):
        file.write_text("")
        os.utime(file, (change, change))
    (tmp_path / "link").symlink_to(files[2])
    clock.check([*map(str, files[:2]), str(tmp_path / "none")], now)
    for path in (files[2], tmp_path / "link"):
        with pytest.raises(InputError, match=rf"{path}: changed 67 min from now by this mach"):
            clock.check([str(files[0]), str(path)], now)
    with pytest.raises(InputError, match=r"newest: changed 46 d from now"):
        clock.check([str(files[2])], now + 4000 - 46 * 86400)


def test_what_a_network_disk_is_ahead_by_is_let_pass(tmp_path: Path):
    (tmp_path / "x").write_text("")
    os.utime(tmp_path / "x", (100, 100))
    clock.check([str(tmp_path / "x")], 100 - clock.HARMLESS)
    with pytest.raises(InputError, match="changed 11 s from now"):
        clock.check([str(tmp_path / "x")], 100 - clock.HARMLESS - 1)
