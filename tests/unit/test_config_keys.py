"""A key of the configuration stands in the schema, in a configuration, in its README, and is read.

A key that is added or renamed in one of them alone has no effect, or is known to nobody.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from sparsesum.experiment import shrinks
from sparsesum.experiment.grid import methods

ROOT = Path(__file__).resolve().parents[2]
CONFIGS = sorted((ROOT / "config").glob("*.yaml"))
README = (ROOT / "config" / "README.md").read_text(encoding="utf-8")
SCHEMA = yaml.safe_load((ROOT / "workflow" / "schemas" / "config.schema.yaml").read_text())

ANY = "*"
"""In a key's path: a name that the user chooses, or an item of a list."""

NO_KEYS = {"sparsify", "datasets", "save_to_disk"}
"""What else README writes as it writes keys: a function, a package and what is in it."""


def resolved(rules: dict) -> dict:
    """A part of the schema, or the definition that it points to."""
    while "$ref" in rules and rules["$ref"].startswith("#/$defs/"):
        rules = SCHEMA["$defs"][rules["$ref"].rpartition("/")[2]]
    return rules


def below(rules: dict) -> dict[str, dict]:
    """What may stand in a section: the schema of each key, of any other key by ANY."""
    found = dict(rules.get("properties", {}))
    for others in ("additionalProperties", "items"):
        if isinstance(rules.get(others), dict):
            found[ANY] = rules[others]
    return {key: resolved(inner) for key, inner in found.items()}


def keys(rules: dict, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each key of the schema."""
    for key, inner in below(rules).items():
        if key != ANY:
            yield (*path, key)
        yield from keys(inner, (*path, key))


def set_in(value: object, rules: dict, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The path of each key that a configuration sets, as `keys` names it."""
    allowed = below(rules)
    if isinstance(value, list):
        for item in value:
            yield from set_in(item, allowed.get(ANY, {}), (*path, ANY))
    elif isinstance(value, dict) and (allowed or not path):
        for key, inner in value.items():
            name = key if key in allowed or ANY not in allowed else ANY
            if name != ANY:
                yield (*path, name)
            yield from set_in(inner, allowed.get(name, {}), (*path, name))


KEYS = list(keys(SCHEMA))
SET = {file.name: set(set_in(yaml.safe_load(file.read_text()), SCHEMA)) for file in CONFIGS}


def rows() -> dict[str, str]:
    """What README's tables say of each section, by the section's name."""
    found = {}
    for line in README.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        if line.startswith("|") and not cells[0].endswith((".yaml", "---")):
            found |= dict.fromkeys(cells[0].split(", "), " ".join(cells[1:]))
    return {key: text for key, text in found.items() if key not in ("overlay", "section", "key")}


def quoted(text: str) -> set[str]:
    """The names in a text's code spans; of `key: value` the key."""
    spans = re.findall(r"`([^`\n]+)`", text)
    inside = [
        word for span in spans for word in re.findall(r"(?:^|[{,] )([a-z_0-9]+)(?=: |$)", span)
    ]
    return {*inside, *(span for span in spans if re.fullmatch(r"[a-z_0-9]+(\.[a-z_]+)*", span))}


def names() -> set[str]:
    """Every name that the workflow's code has: a text, an attribute, an argument, a field.

    And of each kind of shrinking, which a section has by its name.
    """
    found = {*shrinks.kinds()}
    for file in [ROOT / "Snakefile", *(ROOT / "workflow" / "rules").glob("*.smk")]:
        lines = [line.partition("# ")[0] for line in file.read_text().splitlines()]
        found |= set(re.findall(r"""["'](\w+)["']""", "\n".join(lines)))
    for file in (ROOT / "workflow" / "scripts").rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            match node:
                case ast.Constant(value=str(name)) | ast.Attribute(attr=name) | ast.arg(arg=name):
                    found.add(name)
                case ast.AnnAssign(target=ast.Name(id=name)):
                    found.add(name)
    return found


def test_there_is_something_to_look_at():
    assert len(KEYS) > 100 and ("pretraining", "models", ANY, "training", "steps") in KEYS
    assert {"config.yaml", "paper.yaml", "seeds.yaml"} <= SET.keys()
    assert {("corpora", ANY, "splits", "train", "from"), ("qlora", "rank")} <= SET["paper.yaml"]


@pytest.mark.parametrize("file", SET)
def test_every_key_of_a_configuration_is_in_the_schema(file):
    assert SET[file] - set(KEYS) == set()


def test_every_key_of_the_schema_stands_in_a_configuration():
    assert set(KEYS) - set.union(*SET.values()) == set()


@pytest.mark.parametrize("section", SCHEMA["properties"])
def test_readme_says_what_each_key_of_a_section_is(section):
    said = quoted(rows()[section])
    if section == "corpora":
        said |= quoted(README.partition("## Corpora")[2])
        said |= {key for key in rows() if key not in SCHEMA["properties"]}
    assert {path[-1] for path in KEYS if path[0] == section and path[1:]} - said == set()


def test_readme_has_no_section_that_there_is_not():
    corpus = {path[-1] for path in KEYS if path[:2] == ("corpora", ANY)}
    assert rows().keys() - SCHEMA["properties"].keys() - corpus == set()


def values(rules: dict) -> set[str]:
    """The texts that the schema allows as values."""
    own = {value for value in rules.get("enum", []) if isinstance(value, str)}
    return own.union(*(values(inner) for inner in below(rules).values()))


def test_readme_names_no_key_that_there_is_not():
    known = {path[-1] for path in KEYS} | values(SCHEMA) | NO_KEYS
    known |= {".".join(path) for path in KEYS} | {path.name for path in ROOT.glob("config/*.*")}
    assert quoted(README) - known == set()


def unread(sections: dict[str, list[str]], code: str) -> list[str]:
    """The sections, and the keys of those that are read key by key, that no code asks for."""
    found = []
    for section, inside in sections.items():
        if f'config["{section}"]' not in code:
            found.append(section)
        elif not re.search(rf'config\["{section}"\](?!\[")', code):
            # Nothing is handed the section as a whole.
            asked = set(re.findall(rf'config\["{section}"\]\["(\w+)"\]', code))
            found += [f"{section}.{key}" for key in inside if key not in asked]
    return found


def test_a_rule_or_a_script_asks_for_every_section():
    # A method's section is asked for by the method's name.
    sections = {key: list(resolved(SCHEMA["properties"][key]).get("properties", {}))
                for key in SCHEMA["properties"] if key not in methods()}  # fmt: skip
    files = [*(ROOT / "workflow" / "rules").glob("*.smk"),
             *(ROOT / "workflow" / "scripts").glob("*.py")]  # fmt: skip
    assert unread(sections, "\n".join(file.read_text() for file in files)) == []
    assert unread({"a": ["x"], "b": ["x", "y"], "c": []}, 'config["a"]; config["b"]["x"]') == [
        "b.y",
        "c",
    ]


def test_every_key_is_read():
    assert {path[-1] for path in KEYS} - names() == set()
