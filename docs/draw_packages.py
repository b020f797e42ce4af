"""The library's packages and what they import of each other, as Mermaid, in docs/architecture.md.

python docs/draw_packages.py            prints it
python docs/draw_packages.py --write    puts it into the page
"""

import ast
import sys
from graphlib import TopologicalSorter
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
LIBRARY = ROOT / "workflow" / "scripts" / "sparsesum"
PAGE = ROOT / "docs" / "architecture.md"
START, END = "<!-- packages: docs/draw_packages.py --write -->\n", "<!-- end of packages -->\n"


def imported(file: Path) -> set[str]:
    """The packages of the library that a module names in imports, at its top or inside a function.

    A ValueError for a relative import, which this does not follow.
    """
    names = []
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            if node.level:
                raise ValueError(f"{file}: line {node.lineno}: a relative import")
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return {name.split(".")[1] for name in names if name.startswith("sparsesum.")}


def packages() -> dict[str, set[str]]:
    """Of each package, the others that it imports; those that import least come first."""
    found = {
        folder.parent.name: set().union(*map(imported, folder.parent.rglob("*.py")))
        for folder in sorted(LIBRARY.glob("*/__init__.py"))
    }
    found = {name: others - {name} for name, others in found.items()}
    return {name: found[name] for name in TopologicalSorter(found).static_order()}


def mermaid(graph: dict[str, set[str]]) -> str:
    """The graph, from what imports most; arrows that follow from others are left out."""
    reached: dict[str, set[str]] = {}
    lines = ["flowchart TD"]
    for name, others in graph.items():
        implied = set().union(*(reached[other] for other in others))
        reached[name] = others | implied
        lines += [f"    {name} --> {other}" for other in sorted(others - implied)]
    return "\n".join(["```mermaid", *lines, "```", ""])


def drawn(page: str) -> str:
    """The page with the picture as the imports are now."""
    before, _, rest = page.partition(START)
    _, _, after = rest.partition(END)
    return f"{before}{START}{mermaid(packages())}{END}{after}"


if __name__ == "__main__":
    if "--write" in sys.argv:
        PAGE.write_text(drawn(PAGE.read_text(encoding="utf-8")), encoding="utf-8")
        print(f"The picture of packages: {PAGE}")
    else:
        print(mermaid(packages()))
