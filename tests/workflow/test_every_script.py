"""Every job script is run by a test: on the way to a target of one, or asked for by its output."""

import ast
import re

import pytest

from tests.workflow.project import METHODS, ROOT, Project

SCRIPTS = sorted(
    path.stem for path in (ROOT / "workflow" / "scripts").glob("*.py") if path.stem != "runner"
)
RULES = {path.name: path.read_text() for path in (ROOT / "workflow" / "rules").glob("*.smk")}
ONE_SCRIPT = dict.fromkeys(METHODS, "finetune")
"""Rules that have another's script."""

TARGETS = ["all", "results/table_pruning.csv", "results/table_compression.csv"]
"""What tests ask the tiny grid for, and many rules stand on the way to."""


def artifacts() -> dict[str, list[str]]:
    """What a path of a script's outputs begins with; of a script without, its rule's name."""
    pictures = re.search(r"(?ms)^PICTURES = {\n(.*?)^}", RULES["plots.smk"])[1]
    found = {name: [f"results/plots/{name}."] for name in re.findall(r'(?m)^    "(\w+)"', pictures)}
    for name, rule in re.findall(r"(?ms)^rule (\w+):\n(.*?)(?=^\S|\Z)", "\n".join(RULES.values())):
        script = re.search(r'"\.\./scripts/(\w+)\.py"', rule)
        if script:
            paths = re.findall(r'"(results/[^"{]+)', rule.partition("    output:")[2])
            found[script[1]] = [*paths, f"results/{name}.", f"results/{name}/"] if paths else [name]
    return found


def asked() -> set[str]:
    """The texts in the test files that run Snakemake, but for sentences."""
    found: set[str] = set()
    for folder in ("workflow", "end_to_end"):
        for file in (ROOT / "tests" / folder).glob("test_*.py"):
            text = file.read_text(encoding="utf-8")
            if ".snakemake(" in text and file.name != "test_every_script.py":
                nodes = ast.walk(ast.parse(text))
                texts = {node.value for node in nodes if isinstance(node, ast.Constant)}
                found |= {each for each in texts if isinstance(each, str) and " " not in each}
    return found


@pytest.fixture(scope="module")
def planned(opt_folders, tmp_path_factory) -> set[str]:
    """The scripts of a run to TARGETS."""
    fresh = Project(tmp_path_factory.mktemp("fresh"))
    fresh.use({"tiny-pre": opt_folders["pre"], "tiny-post": opt_folders["post"]})
    done = fresh.snakemake(*TARGETS, "--dry-run", "--quiet", "rules")
    assert done.returncode == 0, done.stdout[-3000:]
    cells = [line.split() for line in done.stdout.splitlines()]
    rules = {row[0] for row in cells if len(row) == 2 and row[1].isdigit()} - {"total", "all"}
    return {ONE_SCRIPT.get(rule, rule) for rule in rules}


def test_what_is_planned_is_what_tests_ask_for(planned):
    assert set(TARGETS) <= asked()
    assert planned <= set(SCRIPTS) and len(planned) > 20


@pytest.mark.parametrize("script", SCRIPTS)
def test_a_script_is_run_by_a_test(script, planned):
    if script not in planned:
        wanted = artifacts().get(script)
        assert wanted, f"no rule has {script}.py"
        named = [text for text in asked() if text == wanted[0] or text.startswith(tuple(wanted))]
        assert named, f"no test asks for {wanted}"
