"""The configuration, checked against its schema; a fault is told in one line."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import yaml

from sparsesum.errors import InputError

LARGEST = 1_000_000_000_000
DEEPEST = 50

# 3.0 is an integer to JSON Schema, and none to Python's range.
Validator = jsonschema.validators.extend(
    jsonschema.Draft202012Validator,
    type_checker=jsonschema.Draft202012Validator.TYPE_CHECKER.redefine(
        "integer", lambda _, value: isinstance(value, int) and not isinstance(value, bool)
    ),
)


def _holder(keys: list, files: Iterable[str]) -> str:
    """The last of the configuration files that sets the key at `keys`."""
    holder = "the configuration"
    for file in files:
        value = yaml.safe_load(Path(file).read_text()) or {}
        for key in keys:
            # A list replaces the one below it as a whole.
            if not isinstance(value, list):
                value = value.get(key) if isinstance(value, dict) else None
        if value is not None:
            holder = os.path.relpath(file)
    return holder


def _message(error: jsonschema.ValidationError, files: Iterable[str]) -> str:
    keys = [str(key) for key in error.absolute_path]
    if error.validator == "additionalProperties":
        allowed = sorted(error.schema.get("properties", {}))
        unknown = next(key for key in error.instance if key not in allowed)
        close = difflib.get_close_matches(str(unknown), allowed, n=1)
        hint = f"did you mean '{close[0]}'? " if close else ""
        name = ".".join([*keys, str(unknown)])
        return f"{_holder([*keys, unknown], files)}: unknown key '{name}'; {hint}allowed: " + (
            ", ".join(allowed)
        )
    what = error.message
    if error.validator == "pattern":
        what = f"{error.instance!r} is not allowed"
    elif error.validator == "type":
        what = f"{error.instance!r} is not of type {error.validator_value}"
    elif error.validator == "enum":
        what = f"{error.instance!r} is not allowed; allowed: {', '.join(error.schema['enum'])}"
    meaning = error.schema.get("description", "") if error.validator != "required" else ""
    name = ".".join(keys) or "(top)"
    return f"{_holder(keys, files)}: key '{name}': {what}" + (f" ({meaning})" if meaning else "")


def _check_plain(config: dict, files: list[str]) -> None:
    """Raise an InputError for what YAML can say and no schema refuses."""

    def fault(keys: list[str], what: str) -> InputError:
        return InputError(f"{_holder(keys, files)}: key '{'.'.join(keys) or '(top)'}': {what}")

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


def validate(config: dict, schema: str | Path, files: Iterable[str]) -> None:
    """Raise an InputError for the first fault of `config`, merged from the YAML `files`."""
    files = list(files)
    _check_plain(config, files)
    validator = Validator(yaml.safe_load(Path(schema).read_text()))
    errors = sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.absolute_path)))
    if errors:
        raise InputError(_message(errors[0], files))
    if config["corpus"] not in config["corpora"]:
        raise InputError(
            f"{_holder(['corpus'], files)}: key 'corpus': unknown corpus '{config['corpus']}'; "
            f"allowed are the keys of corpora: {', '.join(config['corpora'])}"
        )
    for section in ("full", "qlora"):
        effective, size = (config[section][key] for key in ("effective_batch", "batch_size"))
        if size != "auto" and effective % size:
            raise InputError(
                f"{_holder([section, 'batch_size'], files)}: key '{section}.batch_size': {size} "
                f"is no divisor of {section}.effective_batch, {effective}; allowed: one, or auto"
            )
