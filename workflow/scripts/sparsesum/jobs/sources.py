"""What of this project's code decides a rule's outputs: the modules that its script imports.

Snakemake does not look into a script. A rule has `code` as a param, so that a change of what a
module computes reruns the rule, and a change of anything else does not: a comment, a docstring, a
type hint, a log message, the words of an error, or a module of `sparsesum.jobs`.
"""

import ast
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

SCRIPTS = Path(__file__).resolve().parents[2]

DECIDES_NOTHING = ("runner.py", "sparsesum/jobs/")
"""Modules that decide no byte of an artifact: messages, progress, records, locks, clocks."""

HINTS = ("collections.abc", "types", "typing")
"""Modules of the standard library that type hints need; where code uses them it stays in sight."""

SPEAKERS = ("log", "logging", "warnings")


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
        elif isinstance(node, ast.ImportFrom):
            module = node.module or ""
            if node.level:
                package = path.parents[node.level - 1].relative_to(SCRIPTS).parts
                module = ".".join([*package, *filter(None, [module])])
            names += [module, *(f"{module}.{alias.name}" for alias in node.names)]
    places = [SCRIPTS.joinpath(*name.split(".")) for name in names if name]
    found = [place.with_suffix(".py") for place in places]
    found += [place / "__init__.py" for place in places]
    # Importing a module runs the __init__ of every package above it.
    found += [folder / "__init__.py" for folder in path.parents if folder.is_relative_to(SCRIPTS)]
    return tuple(file for file in found if file.is_file())


def closure(*files: str) -> list[str]:
    """The given files and all local modules they lead to, relative to workflow/scripts, sorted.

    Imports inside functions count as well; modules that are loaded by name do not: a rule names
    those itself, for the rows that use them.
    """
    todo = [SCRIPTS / file for file in files]
    seen: set[Path] = set()
    while todo:
        path = todo.pop()
        if path not in seen:
            seen.add(path)
            if path.suffix == ".py":
                todo += _imports(path)
    return sorted(path.relative_to(SCRIPTS).as_posix() for path in seen)


def code(*files: str) -> dict[str, str | None]:
    """The digest of each module of `closure` that may decide a byte of an artifact, by its file."""
    todo, seen = list(files), set()
    while todo:
        file = todo.pop()
        if file not in seen and not file.startswith(DECIDES_NOTHING):
            seen.add(file)
            if file.endswith(".py"):
                todo += [path.relative_to(SCRIPTS).as_posix() for path in _imports(SCRIPTS / file)]
    return {file: digest(file) for file in sorted(seen)}


@cache
def digest(file: str) -> str | None:
    """What tells one state of a file's code from another, 16 hexadecimal digits; None: no file.

    Of a module's syntax tree without comments, docstrings, type hints, and the words of messages
    and errors. Of a file that is no Python, its bytes.
    """
    path = SCRIPTS / file
    if not path.is_file():
        return None
    if path.suffix != ".py":
        return hashlib.sha256(path.read_bytes()).hexdigest()[:16]
    tree = _Essence().visit(ast.parse(path.read_text(encoding="utf-8"), filename=str(path)))
    return hashlib.sha256(_text(tree).encode()).hexdigest()[:16]


def _text(node: object) -> str:
    """A syntax tree as a text that is the same in all versions of Python, where `ast.dump` is not.

    Fields without content are left out: newer versions add some to the old kinds of nodes.
    """
    if isinstance(node, list):
        return f"[{', '.join(map(_text, node))}]"
    if not isinstance(node, ast.AST):
        return repr(node)
    fields = (
        f"{name}={_text(value)}"
        for name, value in ast.iter_fields(node)
        if value is not None and value != [] and not isinstance(value, ast.expr_context)
    )
    return f"{type(node).__name__}({', '.join(fields)})"


class _Essence(ast.NodeTransformer):
    """Takes out of a module what computes nothing."""

    def visit_Expr(self, node: ast.Expr) -> ast.AST | None:
        # A docstring, wherever it stands, or a message.
        spoken = isinstance(node.value, ast.Call) and _speaks(node.value.func)
        return None if spoken or isinstance(node.value, ast.Constant) else self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> ast.AST:
        if isinstance(node.exc, ast.Call) and ast.unparse(node.exc.func).endswith("Error"):
            return ast.Raise(node.exc.func, None)
        return self.generic_visit(node)

    def visit_arg(self, node: ast.arg) -> ast.arg:
        return ast.arg(node.arg)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> ast.AST:
        node.annotation = ast.Constant(None)
        return self.generic_visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> ast.AST:
        node.returns = None
        return self.generic_visit(node)

    def visit_ImportFrom(self, node: ast.ImportFrom) -> ast.ImportFrom | None:
        module = (node.module or "").replace(".", "/") + "/"
        hint = node.module in HINTS and not node.level
        return None if hint or module.startswith(DECIDES_NOTHING) else node


def _speaks(function: ast.expr) -> bool:
    """Whether a call's function is one that says something and computes nothing."""
    name = ast.unparse(function)
    return name == "print" or name.partition(".")[0] in SPEAKERS


def defines(file: str, function: str) -> bool:
    """Whether a module (relative to workflow/scripts) has such a function, be it imported."""
    body = _syntax(SCRIPTS / file).body
    names = {node.name for node in body if isinstance(node, ast.FunctionDef)}
    imports = [node for node in body if isinstance(node, ast.ImportFrom)]
    names |= {alias.asname or alias.name for node in imports for alias in node.names}
    return function in names


def options(file: str, *functions: str) -> list[str]:
    """The arguments with a default that functions of a module have, sorted."""
    found: set[str] = set()
    for node in _syntax(SCRIPTS / file).body:
        if isinstance(node, ast.FunctionDef) and node.name in functions:
            positional, keyword = node.args.args, node.args.kwonlyargs
            found |= {each.arg for each in positional[len(positional) - len(node.args.defaults) :]}
            defaults = zip(keyword, node.args.kw_defaults, strict=True)
            found |= {each.arg for each, default in defaults if default is not None}
    return sorted(found)


def constant(file: str, name: str, default: object = None) -> Any:
    """What a module sets a name to, which is a literal; or `default`."""
    for node in _syntax(SCRIPTS / file).body:
        if isinstance(node, ast.Assign) and [ast.unparse(each) for each in node.targets] == [name]:
            return ast.literal_eval(node.value)
    return default
