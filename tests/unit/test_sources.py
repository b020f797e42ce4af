"""What a script imports, and of that what decides bytes, decides what a change reruns."""

import ast
import re
from pathlib import Path

import pytest

from sparsesum.jobs import sources

RULES = Path(__file__).resolve().parents[2] / "workflow" / "rules"


def names(*files: str) -> set[str]:
    return set(sources.code(*files))


def test_direct_and_indirect_imports_are_found():
    found = names("prune.py")
    assert {"prune.py", "sparsesum/pruning/layerwise.py", "sparsesum/base/files.py"} <= found
    assert "sparsesum/pruning/masks.py" in found  # imported by layerwise
    assert "sparsesum/base/errors.py" in found  # imported by files' neighbours


def test_what_decides_no_byte_is_part_of_no_rule_and_stands_in_the_record():
    scripts = [path.name for path in sources.SCRIPTS.glob("*.py") if path.name != "runner.py"]
    assert len(scripts) > 35
    for script in scripts:
        assert not [name for name in names(script) if "/jobs/" in name or name == "runner.py"]
    ran = set(sources.closure("prune.py"))
    assert {"runner.py", "sparsesum/jobs/job.py", "sparsesum/jobs/stopwatch.py"} <= ran
    assert names("prune.py") < ran


def test_a_pruner_is_declared_for_its_own_rows_alone():
    assert not any("pruners/" in name for name in names("prune.py"))
    found = names("prune.py", "sparsesum/pruning/pruners/wanda.py")
    assert {f"sparsesum/pruning/pruners/{name}.py" for name in ("wanda", "__init__")} <= found
    assert "sparsesum/pruning/pruners/sparsegpt.py" not in found


def test_a_method_is_declared_for_its_own_rows_alone():
    full, qlora = (
        names("finetune.py", f"sparsesum/finetuning/methods/{name}.py")
        for name in ("full", "qlora")
    )
    assert "sparsesum/finetuning/methods/qlora.py" not in full
    assert {"sparsesum/models/quantisation.py", "sparsesum/finetuning/adapters.py"} <= qlora - full
    assert "sparsesum/finetuning/training.py" in full & qlora


def test_what_a_stage_does_not_need_does_not_rerun_it():
    for script, strangers in {
        "examples.py": "scoring/bootstrap",
        "generate.py": "finetuning/training scoring/likelihood",
        "likelihood.py": "generation/decoding generation/generation",
        "finetune.py": "pages/table3 generation/generation",
        "table3.py": "pages/figures models/checkpoints",
        "heat_map.py": "pages/quality",
    }.items():
        assert not names(script) & {f"sparsesum/{name}.py" for name in strangers.split()}, script


def rules() -> str:
    """The text of all rules."""
    return "\n".join(file.read_text(encoding="utf-8") for file in RULES.glob("*.smk"))


def named_by_rules() -> set[str]:
    """The files that rules name beside a script, as patterns: of each pruner, method, metric."""
    # One that is only asked what it defines is in no digest.
    paths = re.findall(r'(?<!defines\(f)"(sparsesum/[^"]+)"', rules())
    return {re.sub(r"{\w+}", "*", path) for path in paths}


def used_by_rules() -> set[str]:
    """The modules that rules use themselves, to read the configuration or to run."""
    lines = re.findall(r"(?m)^ *from sparsesum\.(\w+) import ([\w, ]+)", rules())
    return {
        f"sparsesum/{package}/{name}.py" for package, all_ in lines for name in all_.split(", ")
    }


def by_name() -> set[str]:
    """The modules that code imports by a name that it computes, as patterns of files."""
    ways = ("import_module", "__import__", "run_path", "run_module", "spec_from_file_location")
    found = set()
    for file in sources.SCRIPTS.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(ways):
                name = ast.unparse(node.args[0]).lstrip("f").strip("'\"")
                found.add(re.sub(r"{[^}]*}", "*", name).replace(".", "/") + ".py")
    return found


def test_a_module_that_is_imported_by_its_name_is_one_that_a_rule_names():
    """No import statement leads there: an edited pruner would rerun nothing."""
    folders = ("pruning/pruners", "finetuning/methods", "shrinking/kinds")
    plugins = {f"sparsesum/{folder}/*.py" for folder in folders}
    assert by_name() == plugins
    assert plugins <= named_by_rules()


def test_every_file_of_the_library_is_followed_from_a_rule():
    """What a script loads by its name alone, or reads, would rerun nothing."""
    followed = set().union(*(names(script.name) for script in sources.SCRIPTS.glob("*.py")))
    for pattern in named_by_rules():
        files = [path.relative_to(sources.SCRIPTS) for path in sources.SCRIPTS.glob(pattern)]
        assert files, pattern
        followed |= names(*(file.as_posix() for file in files))
    files = [path for path in (sources.SCRIPTS / "sparsesum").rglob("*.*") if path.suffix != ".pyc"]
    there = {path.relative_to(sources.SCRIPTS).as_posix() for path in files}
    there = {file for file in there if not file.startswith(sources.DECIDES_NOTHING)}
    assert there - followed - used_by_rules() == set()


def test_every_script_names_modules_that_exist():
    for script in sources.SCRIPTS.glob("*.py"):
        assert all((sources.SCRIPTS / file).is_file() for file in sources.closure(script.name))


@pytest.fixture
def scripts(tmp_path: Path, monkeypatch) -> Path:
    """A folder of scripts with a package of four modules, and nothing remembered of another."""
    package = tmp_path / "sparsesum" / "rooms"
    package.mkdir(parents=True)
    for folder in (package, package.parent):
        (folder / "__init__.py").write_text("")
    for name in ("a", "b", "c", "unused"):
        (package / f"{name}.py").write_text("")
    monkeypatch.setattr(sources, "SCRIPTS", tmp_path)
    sources.digest.cache_clear()
    return tmp_path


@pytest.mark.parametrize(
    ("script", "module"),
    [
        ("from sparsesum.rooms import a\nimport sparsesum.rooms.b\n", "import sparsesum.rooms.c"),
        ("from sparsesum.rooms.a import x\nfrom sparsesum.rooms import b\n", "from . import c"),
        ("import sparsesum.rooms.a, sparsesum.rooms.b\n", "from .c import x"),
        ("from sparsesum.rooms import a, b\n", "from ..rooms import c"),
        ("from sparsesum.rooms import a, b\n", "from ..rooms.c import x as y"),
    ],
)
def test_import_forms(scripts, script, module):
    (scripts / "script.py").write_text(f"import os\n{script}")
    (scripts / "sparsesum" / "rooms" / "b.py").write_text(f"def f():\n    {module}\n")
    inits = {"sparsesum/__init__.py", "sparsesum/rooms/__init__.py"}
    modules = {f"sparsesum/rooms/{name}.py" for name in ("a", "b", "c")}
    assert names("script.py") == {"script.py"} | inits | modules


def test_a_package_that_is_imported_is_its_init(scripts):
    (scripts / "script.py").write_text("from sparsesum import rooms\n")
    inits = {"sparsesum/__init__.py", "sparsesum/rooms/__init__.py"}
    assert names("script.py") == {"script.py"} | inits


OPTIONS = """
from math import exp as prepare
OPTIONS = ("rank", "alpha")
COUNT = len(OPTIONS)
def sparsify(weight, state, power=0.5, *more, block=128, exact, **others): ...
def prepare(state, damping=0.01): ...
def other(size=1): ...
"""


def test_the_options_of_functions_and_constants_are_read_without_an_import(scripts):
    (scripts / "a.py").write_text(OPTIONS)
    assert sources.options("a.py", "sparsify", "prepare") == ["block", "damping", "power"]
    assert sources.options("a.py", "accumulate") == []
    assert sources.constant("a.py", "OPTIONS") == ("rank", "alpha")
    assert sources.constant("a.py", "NONE", ()) == ()


CODE = '''"""What it is for."""
from collections.abc import Iterable
import logging
log = logging.getLogger("a")
LIMIT = 3
"""What the limit is of."""
def total(numbers: list[int], start: int = 0) -> int:
    """The sum."""
    if start > LIMIT:
        raise ValueError(f"{start} is too much")
    log.info("so far %d", start)
    result: int = start + sum(numbers)
    return result
'''


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("What it is for", "What it was for"),
        ("What the limit is of", "Limits"),
        ("The sum", "A sum"),
        ("LIMIT = 3", "LIMIT = 3  # as ever"),
        ("numbers: list[int]", "numbers: Iterable[int]"),
        ("-> int", "-> float"),
        ("result: int", "result: float"),
        ("from collections.abc import Iterable\n", "from typing import Any\n"),
        ("so far", "until now"),
        ('log.info("so far %d", start)', 'log.info("%d of %d", start, LIMIT)'),
        ('    log.info("so far %d", start)\n', ""),
        ("is too much", "is more than allowed"),
        ("\ndef", "\n\n\ndef"),
    ],
)
def test_what_computes_nothing_is_not_in_the_digest(scripts, old, new):
    assert old in CODE
    assert digest(scripts, CODE.replace(old, new)) == digest(scripts, CODE)


def test_a_digest_is_the_same_in_each_version_of_python(scripts):
    """Another would rebuild everything after an upgrade. `ast.dump` gives one a version."""
    assert digest(scripts, CODE) == "d5542d5e34352ea5"


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("LIMIT = 3", "LIMIT = 4"),
        ("start: int = 0", "start: int = 1"),
        ("start >", "start >="),
        ("ValueError", "KeyError"),
        ("sum(numbers)", "max(numbers)"),
        ("return result", "return -result"),
        ("numbers: list[int]", "values: list[int]"),
        ("import logging\n", "import logging\nfrom math import fsum as sum\n"),
    ],
)
def test_what_computes_something_is_in_the_digest(scripts, old, new):
    assert old in CODE
    assert digest(scripts, CODE.replace(old, new)) != digest(scripts, CODE)


def digest(scripts: Path, text: str) -> str:
    sources.digest.cache_clear()
    (scripts / "module.py").write_text(text)
    return sources.digest("module.py")


def test_a_page_is_known_by_its_bytes(scripts):
    (scripts / "page.css").write_text("a { color: red }")
    first = sources.digest("page.css")
    sources.digest.cache_clear()
    (scripts / "page.css").write_text("a { color: red } /* */")
    assert first != sources.digest("page.css") and sources.digest("nothing.py") is None


def test_which_pruners_need_a_calibration_set():
    needs = {
        name: sources.defines(f"sparsesum/pruning/pruners/{name}.py", "accumulate")
        for name in ("magnitude", "wanda", "sparsegpt")
    }
    assert needs == {"magnitude": False, "wanda": True, "sparsegpt": True}
