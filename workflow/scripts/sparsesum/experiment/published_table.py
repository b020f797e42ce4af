"""The published table's rows, and which of a grid's rows they are about.

Source: "Pruning OPT for Summarization", table 3. An empty pruner and sparsity: an unpruned row.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sparsesum.base import files
from sparsesum.base.errors import InputError
from sparsesum.experiment.grid import NONE, Row


def read(path: str | Path) -> list[dict[str, str]]:
    """The lines of a published table; an InputError where there is no such file."""
    if not Path(path).is_file():
        raise InputError(
            f"key 'published': no file {path}; allowed is null, or a folder such as resources/paper"
        )
    return files.read_csv(path)


def row_of(line: Mapping[str, Any]) -> Row:
    """The row that a published line is about."""
    return Row(line["model"], line["finetuning"], line["pruner"] or NONE, line["sparsity"] or NONE)


def repeated(
    lines: Sequence[Mapping[str, Any]], rows: Sequence[Row]
) -> dict[Row, Mapping[str, Any]]:
    """The published line of each row of the grid that has one, in the grid's order."""
    return counterparts(lines, rows, {})


def counterparts(
    lines: Sequence[Mapping[str, Any]], rows: Sequence[Row], stands_for: Mapping[str, str | None]
) -> dict[Row, Mapping[str, Any]]:
    """The published line of each row or, where its model stands for another, of that one's row.

    `stands_for`: by a model's name that of a published one, or None. In the rows' order; rows
    without such a line are left out. An InputError where one stands for what was not published.
    """
    table = {row_of(line).path: line for line in lines}
    models = list(dict.fromkeys(line["model"] for line in lines))
    found = {}
    for row in rows:
        other = stands_for.get(row.model)
        if other is not None and other not in models:
            raise InputError(
                f"key 'models.{row.model}.stands_for': '{other}' was not published; allowed: null, "
                + ", ".join(models)
            )
        line = table.get(replace(row, model=other or row.model).path)
        if line is not None:
            found[row] = line
    return found
