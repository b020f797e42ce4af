"""Which local modules a script imports, directly or not: what its rule declares as inputs.

Snakemake does not look into a script. With these files among a rule's inputs, a change of any of
them reruns the rule, and a change of anything else does not.
"""

import ast
from functools import cache
from pathlib import Path

SCRIPTS = Path(__file__).resolve().parent.parent


@cache
def _syntax(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


@cache
def _imports(path: Path) -> tuple[Path, ...]:
    """The files of this project's modules that the file at `path` names in import statements."""
    names: list[str] = []
    for node in ast.walk(_syntax(path)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names += [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
    places = [SCRIPTS.joinpath(*name.split(".")) for name in names]
    found = [place.with_suffix(".py") for place in places]
    found += [place / "__init__.py" for place in places]
    # Importing a module runs the __init__ of every package above it.
    found += [folder / "__init__.py" for folder in path.parents if folder.is_relative_to(SCRIPTS)]
    return tuple(file for file in found if file.is_file())


def closure(*files: str) -> list[str]:
    """The given files (relative to workflow/scripts) and all local modules they lead to.

    Absolute paths, sorted. Imports inside functions count as well; modules that are loaded by name
    do not: a rule names those itself, for the rows that use them.
    """
    todo = [SCRIPTS / file for file in files]
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            if path.suffix == ".py":
                todo += _imports(path)
    return sorted(map(str, seen))


def defines(file: str, function: str) -> bool:
    """Whether a module (relative to workflow/scripts) has such a function, be it imported."""
    body = _syntax(SCRIPTS / file).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    names |= {alias.asname or alias.name for node in imports for alias in node.names}
    return function in names
