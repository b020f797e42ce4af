"""The configuration, checked against its schema; a fault is reported in one line."""

import difflib
import json
import math
import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import jsonschema
import yaml

from sparsesum.base.errors import InputError

COMMAND = "--config"
UNSET = object()
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
LARGEST = 1_000_000_000_000
DEEPEST = 50

# 3.0 is an integer to JSON Schema, and none to Python's range.
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def _read(file: str) -> dict[str, Any]:
    """A configuration file as Snakemake reads it: as JSON, or else as YAML."""
    text = Path(file).read_text(encoding="utf-8-sig")
    try:
        return json.loads(text)
    except ValueError:
        return yaml.safe_load(text) or {}


def _at(value: object, keys: list[Any]) -> object:
    """What stands at `keys`, or UNSET; a list is given as a whole: it replaces the one below it."""
    for key in keys:
        if isinstance(value, list):
            break
        value = value.get(key, UNSET) if isinstance(value, dict) else UNSET
    return value


def _holder(keys: list[Any], files: list[str], config: dict[str, Any]) -> str:
    """The last of the configuration files that sets the key at `keys`, or COMMAND."""
    wanted = _at(config, keys)
    for file in reversed(files):
        value = _at(_read(file), keys)
        if value is UNSET:
            continue
        # Sections are merged; what stands in one is of the last file that sets it.
        merged = isinstance(value, dict) and isinstance(wanted, dict)
        same = merged or json.dumps(value, default=str) == json.dumps(wanted, default=str)
        return os.path.relpath(file) if same else COMMAND
    return COMMAND if files and wanted is not UNSET else "the configuration"


def _as_a_number(text: object) -> str:
    """How YAML would take a text for the number that it says; "" where it says none."""
    try:
        number = float(text) if isinstance(text, str) else math.nan
    except ValueError:
        return ""
    if not math.isfinite(number):
        return ""
    if number.is_integer() and abs(number) <= LARGEST:
        return str(int(number))
    # 1e-05 is a text to YAML, for want of a dot.
    return repr(number) if "." in repr(number) else repr(number).replace("e", ".0e")


def _hint(value: object, holder: str) -> str:
    """What else to say of a value that should be a number and is none; "" where it is no text."""
    number = _as_a_number(value)
    if not number:
        return ""
    if holder == COMMAND:
        return f": it is a text, as in any list there; set {number} in a file of --configfile"
    return f": it is a text; a number is written {number}"


def _check_once(file: str) -> None:
    """An InputError for a key that stands twice in a section, of which YAML takes the last."""
    text = Path(file).read_text(encoding="utf-8-sig")
    todo = [([], yaml.compose(text, Loader=LOADER))]  # type: list[tuple[list[str], Any]]
    seen = set()
    while todo:
        keys, node = todo.pop()
        if node in seen:  # has a name, and stands in several places
            continue
        seen.add(node)
        if isinstance(node, yaml.SequenceNode):
            todo += [([*keys, str(index)], inner) for index, inner in enumerate(node.value)]
        elif isinstance(node, yaml.MappingNode):
            first: dict[str, yaml.Node] = {}
            for key, inner in node.value:
                name = [*keys, str(key.value)]
                if key.tag == "tag:yaml.org,2002:merge":  # YAML takes all of them
                    continue
                if first.setdefault(str(key.value), key) is not key:
                    here, there = (k.start_mark.line + 1 for k in (key, first[key.value]))
                    raise InputError(
                        f"{os.path.relpath(file)}, line {here}: key '{'.'.join(name)}' stands "
                        f"there twice (line {there}); YAML takes the last alone: put all under one"
                    )
                todo.append((name, inner))


def _message(error: jsonschema.ValidationError, files: list[str], config: dict[str, Any]) -> str:
    keys = [str(key) for key in error.absolute_path]
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in allowed)
        close = difflib.get_close_matches(str(unknown), allowed, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        name = ".".join([*keys, str(unknown)])
        holder = _holder([*keys, unknown], files, config)
        return f"{holder}: unknown key '{name}'; {hint}allowed: {', '.join(allowed)}"
    what, holder = error.message, _holder(keys, files, config)
    if error.validator == "pattern":
        what = f"{error.instance!r} is not allowed"
    elif error.validator == "type":
        what = f"{error.instance!r} is not of type {error.validator_value}"
        if error.validator_value in ("number", "integer"):
            what += _hint(error.instance, holder)
    elif error.validator == "enum":
        what = f"{error.instance!r} is not allowed; allowed: {', '.join(error.schema['enum'])}"
    meaning = error.schema.get("description", "") if error.validator != "required" else ""
    name = ".".join(keys) or "(top)"
    return f"{holder}: key '{name}': {what}" + (f" ({meaning})" if meaning else "")


def _check_plain(config: dict[str, Any], files: list[str]) -> None:
    """Raise an InputError for what YAML can say and no schema refuses."""

    def fault(keys: list[str], what: str) -> InputError:
        holder = _holder(keys, files, config)
        return InputError(f"{holder}: key '{'.'.join(keys) or '(top)'}': {what}")

    todo: list[tuple[list[str], object]] = [([], config)]
    while todo:
        keys, value = todo.pop()
        if len(keys) > DEEPEST:
            raise fault(keys, "nested deeper than any setting")
        if isinstance(value, dict):
            for key in value:
                if not isinstance(key, str):
                    raise fault(keys, f"{key!r} is no text; put the key in quotes")
            todo += [([*keys, key], inner) for key, inner in value.items()]
        elif isinstance(value, list):
            todo += [([*keys, str(index)], inner) for index, inner in enumerate(value)]
        elif isinstance(value, int | float) and not abs(value) <= LARGEST:
            raise fault(keys, f"no number, or beyond {LARGEST:,}")


def validate(
    config: dict[str, Any],
    schema: str | Path,
    files: Iterable[str],
    methods: Iterable[str] = (),
    pruners: Iterable[str] = (),
    shrinks: Iterable[str] = (),
) -> None:
    """Raise an InputError for the first fault of `config`, merged from the YAML `files`.

    methods: of fine-tuning. One that the schema does not know may have a section of its name, with
    the keys of a training and any others, which are the method's options. pruners, shrinks: those
    that may have options under the keys `pruners` and `shrinking`.
    """
    files = list(files)
    rules = yaml.safe_load(Path(schema).read_text(encoding="utf-8"))
    for method in methods:
        rules["properties"].setdefault(method, {"$ref": "#/$defs/method"})
    for key, names in (("pruners", pruners), ("shrinking", shrinks)):
        for name in names:
            rules["properties"][key]["properties"].setdefault(name, {"type": "object"})
    for file in files:
        _check_once(file)
    _check_plain(config, files)
    validator = Validator(rules)
    errors = sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.absolute_path)))
    if errors:
        raise InputError(_message(errors[0], files, config))
    if config["corpus"] not in config["corpora"]:
        raise InputError(
            f"{_holder(['corpus'], files, config)}: key 'corpus': unknown corpus "
            f"'{config['corpus']}'; allowed are the keys of corpora: {', '.join(config['corpora'])}"
        )
    for name, corpus in config["corpora"].items():
        first: dict[str, str] = {}
        for split, chosen in corpus["splits"].items():
            if first.setdefault(chosen["from"], split) != split:
                keys = ["corpora", name, "splits", split, "from"]
                raise InputError(
                    f"{_holder(keys, files, config)}: key '{'.'.join(keys)}': {chosen['from']!r} "
                    f"is split {first[chosen['from']]}'s too, so that both would have the same "
                    "records; put each split's into files of its own"
                )
    for section in config.keys() & {*methods}:
        effective, size = (config[section][key] for key in ("effective_batch", "batch_size"))
        if size != "auto" and effective % size:
            raise InputError(
                f"{_holder([section, 'batch_size'], files, config)}: key '{section}.batch_size': "
                f"{size} is no divisor of {section}.effective_batch, {effective}; allowed: one, or "
                "auto"
            )


def check_methods(config: dict[str, Any], used: Iterable[str]) -> None:
    """Raise an InputError if a way of fine-tuning that the grid uses has no section in `config`."""
    for method in sorted(used):
        if method not in config:
            raise InputError(
                f"key '{method}': missing, and rows of {config['grid']} are fine-tuned by it; it "
                "sets a training, as key 'full' does, and the options of "
                f"sparsesum/finetuning/methods/{method}.py"
            )


def put_in_order(section: object) -> None:
    """Sort the keys of each section in place; lists keep their order.

    An overlay's keys come first as they stand there, and Snakemake takes a param in another order
    for another.
    """
    if isinstance(section, list):
        for inner in section:
            put_in_order(inner)
    elif isinstance(section, dict):
        items = sorted(section.items())
        section.clear()
        section.update(items)
        for inner in section.values():
            put_in_order(inner)
