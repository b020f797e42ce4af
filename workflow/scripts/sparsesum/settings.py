"""The configuration, checked against its schema; a fault is told in one line."""

import difflib
import os
from collections.abc import Iterable
from pathlib import Path

import jsonschema
import yaml

from sparsesum.errors import InputError


def _holder(keys: list, files: Iterable[str]) -> str:
    """The last of the configuration files that sets the key at `keys`."""
    holder = "the configuration"
    for file in files:
        value = yaml.safe_load(Path(file).read_text()) or {}
        for key in keys:
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
    if error.validator == "type":
        what = f"{error.instance!r} is not of type {error.validator_value}"
    elif error.validator == "enum":
        what = f"{error.instance!r} is not allowed; allowed: {', '.join(error.schema['enum'])}"
    meaning = error.schema.get("description", "") if error.validator != "required" else ""
    name = ".".join(keys) or "(top)"
    return f"{_holder(keys, files)}: key '{name}': {what}" + (f" ({meaning})" if meaning else "")


def validate(config: dict, schema: str | Path, files: Iterable[str]) -> None:
    """Raise an InputError for the first fault of `config`, merged from the YAML `files`."""
    rules = yaml.safe_load(Path(schema).read_text())
    validator = jsonschema.Draft202012Validator(rules)
    errors = sorted(validator.iter_errors(config), key=lambda e: list(map(str, e.absolute_path)))
    if errors:
        raise InputError(_message(errors[0], list(files)))
    if config["corpus"] not in config["corpora"]:
        raise InputError(
            f"{_holder(['corpus'], files)}: key 'corpus': unknown corpus '{config['corpus']}'; "
            f"allowed are the keys of corpora: {', '.join(config['corpora'])}"
        )
