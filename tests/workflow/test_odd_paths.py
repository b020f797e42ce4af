"""Folders with spaces and other characters in their names: they work, or one line says why not."""

import os
import shutil
import subprocess
import sys
import sysconfig
from pathlib import Path

import pytest

from tests.workflow.project import ROOT, Project

ODD = "my project (ü) a'b\"c $d;e#f&g%h[i]`j,k=l@m~n!o?p*q\\r"


def venv(folder: Path) -> Path:
    """A virtual environment in a folder, with this one's packages; its python."""
    (folder / "bin").mkdir(parents=True)
    python = folder / "bin" / "python"
    python.symlink_to(Path(sys.executable).resolve())
    shutil.copy(Path(sys.prefix) / "pyvenv.cfg", folder)
    (folder / "lib").mkdir()
    packages = Path(sysconfig.get_path("purelib"))
    (folder / "lib" / packages.parent.name).symlink_to(packages.parent)
    return python


@pytest.fixture
def odd(tmp_path, opt_folders) -> Project:
    folder = tmp_path / ODD
    folder.mkdir()
    project = Project(folder)
    sources = tmp_path / "-my [models] $x 'y'"
    for name, source in opt_folders.items():
        shutil.copytree(source, sources / f"tiny {name}")
    project.use({f"tiny-{name}": sources / f"tiny {name}" for name in opt_folders})
    project.python = venv(folder / ".venv")
    return project


def snakemake(project: Project, *arguments: str, cwd: Path) -> subprocess.CompletedProcess:
    temporary = project.folder.parent / "my tmp"
    temporary.mkdir(exist_ok=True)
    return subprocess.run(
        [project.python, "-m", "snakemake", "--cores", "1", "--nocolor", *arguments],
        cwd=cwd,
        env=project.environment() | {"TMPDIR": str(temporary)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


TARGETS = ["results/dense/tiny-pre/model.safetensors", "results/corpus/bills/test.jsonl"]


def test_a_clone_with_its_environment_in_an_odd_folder(odd):
    done = snakemake(odd, "--configfile", "tiny.yaml", "--", *TARGETS, cwd=odd.folder)
    assert done.returncode == 0, done.stdout[-3000:]
    assert all((odd.folder / target).is_file() for target in TARGETS)


def test_an_odd_working_directory_with_the_snakefile_elsewhere(odd, tmp_path):
    working = tmp_path / "my {results} $x"
    working.mkdir()
    shutil.copy(odd.folder / "grid.tsv", working)
    arguments = ["--snakefile", f"{ODD}/Snakefile", "--directory", working.name]
    arguments += ["--configfile", f"{ODD}/tiny.yaml", "--", TARGETS[1]]
    done = snakemake(odd, *arguments, cwd=tmp_path)
    assert done.returncode == 0, done.stdout[-3000:]
    assert (working / TARGETS[1]).is_file()


@pytest.mark.parametrize("name", ["a{b}", "a{b"])
def test_braces_are_refused_in_one_line(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    project = Project(folder)
    project.python = Path(sys.executable)
    done = snakemake(project, "-n", cwd=folder)
    said = f"folder {folder}: its path has {' '.join(name.strip('ab'))}, and Snakemake takes"
    said = said.replace("{ b }", "{ }")
    assert done.returncode and "Traceback" not in done.stdout
    assert [line for line in done.stdout.splitlines() if line.startswith(said)], done.stdout


def make(folder: Path, target: str) -> subprocess.CompletedProcess:
    """Run make in a folder whose environment has just a `python`, which notes its arguments."""
    shutil.copy(ROOT / "Makefile", folder)
    (folder / "envs").mkdir()
    (folder / "envs" / "requirements.lock").touch()
    python = folder / ".venv" / "bin" / "python"
    python.parent.mkdir(parents=True)
    python.write_text('#!/bin/sh\necho "$@"\n')
    python.chmod(0o755)
    (folder / ".venv" / ".installed").touch()
    (folder / "results").mkdir()
    (folder / "results" / "table3.md").touch()
    return subprocess.run(["make", target], cwd=folder, capture_output=True, text=True)


def test_make_starts_all_by_way_of_python(tmp_path):
    """The first line of a script in .venv/bin is the environment's path, odd or not."""
    folder = tmp_path / ODD
    folder.mkdir()
    done = make(folder, "table3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("-m snakemake --cores all results/table3.csv\n")


@pytest.mark.parametrize("name", ["a{b", "a}b", "a:b"])
def test_make_refuses_what_does_not_work(tmp_path, name):
    folder = tmp_path / name
    folder.mkdir()
    done = make(folder, "table3")
    assert done.returncode and not done.stdout
    assert f"folder {folder}: its path has {{, }} or :, which does not work" in done.stderr
    assert done.stderr.count(os.linesep) == 1
