"""One set of versions: the lock's, for --sdm conda and in the environment of these tests."""

import re
import shutil
import subprocess
from importlib import metadata
from pathlib import Path

import yaml
from packaging.requirements import Requirement
from packaging.version import Version

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "envs" / "requirements.lock"
CONDA = ROOT / "envs" / "sparsesum.yaml"
RULES = sorted((ROOT / "workflow" / "rules").glob("*.smk"))
CONVENTIONS = ROOT / "workflow" / "rules" / "conventions.smk"


def locked() -> list[Requirement]:
    found = [Requirement(line) for line in LOCK.read_text().splitlines() if line[0] != "#"]
    assert len(found) > 100
    return found


def test_each_version_of_the_lock_is_one_version():
    for requirement in locked():
        assert re.fullmatch(r"==[^*,]+", str(requirement.specifier)), requirement


def test_what_the_project_asks_for_is_in_the_lock():
    lines = (ROOT / "envs" / "requirements.in").read_text().splitlines()
    asked = {str(Requirement(line)) for line in lines if line and line[0] != "#"}
    assert asked <= {str(requirement) for requirement in locked()}


def test_the_conda_environment_has_every_name_and_version_of_the_lock():
    python, pip, packages = yaml.safe_load(CONDA.read_text())["dependencies"]
    assert (python, pip) == ("python=3.11", "pip")
    assert [Requirement(line) for line in packages["pip"]] == locked()


def test_the_conda_environment_is_what_make_writes(tmp_path):
    shutil.copytree(ROOT / "envs", tmp_path / "envs")
    shutil.copy(ROOT / "Makefile", tmp_path)
    subprocess.run(["make", "-s", "-B", "envs/sparsesum.yaml"], cwd=tmp_path, check=True)
    assert (tmp_path / "envs" / "sparsesum.yaml").read_bytes() == CONDA.read_bytes()


def test_one_environment_for_every_rule_with_a_script():
    """Set in one place, by conventions.smk; a rule that named another would lose it there."""
    assert not [path.name for path in RULES if re.search(r"^ *conda:", path.read_text(), re.M)]
    parts = re.search(r"each\.conda_env = str\(ROOT((?: / \"[^\"]+\")+)\)", CONVENTIONS.read_text())
    assert ROOT.joinpath(*re.findall(r'"([^"]+)"', parts[1])) == CONDA


def test_what_is_installed_is_the_lock():
    """torch's builds for a CPU and for CUDA are told apart by what stands behind a "+"."""
    different = []
    for requirement in locked():
        if requirement.marker and not requirement.marker.evaluate():
            continue
        try:
            found = Version(metadata.version(requirement.name)).public
        except metadata.PackageNotFoundError:
            found = None
        if found is None or not requirement.specifier.contains(found):
            different.append(f"{requirement}: {found}")
    assert different == []
