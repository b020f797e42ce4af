"""Odd names of folders: what a shell finds by them."""

import os
import subprocess

import pytest

from sparsesum.base.errors import InputError
from sparsesum.jobs import places


@pytest.mark.parametrize("name", ["plain", "a b", "ü", "a'b", 'a"b', "$a", "a;b", "a\nb", "a\\b"])
def test_a_shell_finds_the_interpreter_by_its_name(tmp_path, name):
    program = tmp_path / name / "python"
    program.parent.mkdir()
    program.write_text("#!/bin/sh\necho found\n")
    program.chmod(0o755)
    called, path = places.interpreter(str(program), os.environ["PATH"])
    done = subprocess.run(
        f"{called} script", shell=True, env={"PATH": path}, capture_output=True, text=True
    )
    assert done.stdout == "found\n", done.stderr


def test_a_path_that_needs_no_quotes_stays_as_it_is():
    assert places.interpreter("/a:b/bin/python", "/bin") == ("/a:b/bin/python", "/bin")


def test_a_colon_is_refused_where_the_path_must_have_it():
    with pytest.raises(InputError, match=r"^folder /a: b/bin: its path has :, and .*; rename"):
        places.interpreter("/a: b/bin/python", "/bin")


def test_a_folder_is_refused_by_each_of_its_characters():
    places.check("/plain", "{}", "why")
    with pytest.raises(InputError, match="^folder /a}{: its path has { }, and why; rename"):
        places.check("/a}{", "{}", "why")
