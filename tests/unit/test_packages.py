"""The library's packages: what each may import, and the picture of it in docs/architecture.md."""

import ast
import re

import pytest

from docs import draw_packages
from docs.draw_packages import LIBRARY, PAGE, drawn, imported, packages

PACKAGES = sorted(folder.parent.name for folder in LIBRARY.glob("*/__init__.py"))


def allowed(package: str) -> set[str]:
    """What a package's own docstring says that it may import."""
    words = ast.get_docstring(ast.parse((LIBRARY / package / "__init__.py").read_text()))
    said = re.search(r"^May import: (.+?)\.", words, re.M)[1]
    return set() if said == "nothing of this project" else set(said.split(", "))


def test_every_module_is_in_a_package():
    assert [path.name for path in LIBRARY.glob("*.py")] == ["__init__.py"]
    assert {path.name for path in LIBRARY.iterdir() if path.is_dir()} - {"__pycache__"} == {
        *PACKAGES
    }


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_imports_what_its_docstring_says(package):
    assert packages()[package] == allowed(package)


@pytest.mark.parametrize("package", PACKAGES)
def test_a_package_itself_imports_nothing(package):
    """Or each of its modules would rerun, and load, what one of them needs."""
    tree = ast.parse((LIBRARY / package / "__init__.py").read_text())
    assert [type(node) for node in tree.body] == [ast.Expr]


def test_nothing_imports_pages_and_little_knows_of_pruning():
    importing = {name: {n for n, others in packages().items() if name in others}
                 for name in ("pages", "pruning", "finetuning")}  # fmt: skip
    assert importing == {
        "pages": set(),
        "pruning": {"finetuning", "shrinking"},
        "finetuning": set(),
    }


@pytest.mark.parametrize("package", ["base", "jobs", "corpus"])
def test_what_all_else_stands_on_knows_no_stage(package):
    stages = {"pruning", "shrinking", "finetuning", "generation", "scoring", "evidence", "pages"}
    assert not packages()[package] & stages


def test_the_picture_is_what_the_imports_are():
    page = PAGE.read_text(encoding="utf-8")
    assert drawn(page) == page, "python docs/draw_packages.py --write"


def test_an_import_inside_a_function_counts_and_a_relative_one_is_refused(tmp_path):
    module = tmp_path / "module.py"
    module.write_text("def f():\n    from sparsesum.pages import figures\n    import torch\n")
    assert imported(module) == {"pages"}
    module.write_text("from . import figures\n")
    with pytest.raises(ValueError, match="line 1: a relative import"):
        imported(module)


def test_a_circle_of_packages_is_refused(tmp_path, monkeypatch):
    for name, other in (("one", "two"), ("two", "one")):
        (tmp_path / name).mkdir()
        (tmp_path / name / "__init__.py").write_text(f"import sparsesum.{other}\n")
    monkeypatch.setattr(draw_packages, "LIBRARY", tmp_path)
    with pytest.raises(ValueError, match="cycle"):
        packages()
