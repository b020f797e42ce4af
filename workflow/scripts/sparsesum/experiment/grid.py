"""The grids: the rows of a file, in the table's order, and those of pruners x patterns."""

import csv
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from sparsesum.base.errors import InputError
from sparsesum.experiment import patterns, shrinks

COLUMNS = ["model", "finetuning", "pruner", "sparsity"]
SHRUNK = ["model", "finetuning", "shrink", "pruner", "sparsity"]
"""The columns of a grid with shrunk rows."""
BASE = "base"
"""The fine-tuning of a row that has none."""

NONE = "none"
LIBRARY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """A cell of model x shrinking x sparsity x fine-tuning, as the user wrote it."""

    model: str
    finetuning: str
    pruner: str
    sparsity: str
    shrink: str = NONE

    @property
    def checkpoint(self) -> str:
        """What was done to the weights, in order, as a part of a path.

        "dense", "wanda_50", "layers_75+neurons_50", "layers_75+sparsegpt_2of4".
        """
        steps = [] if self.shrink == NONE else [step.name for step in shrinks.parse(self.shrink)]
        if self.pruner != NONE:
            steps.append(f"{self.pruner}_{patterns.parse(self.sparsity).name}")
        return "+".join(steps) or "dense"

    @property
    def path(self) -> str:
        """What tells this row's artifacts from others': model/sparsity/fine-tuning."""
        return f"{self.model}/{self.checkpoint}/{self.finetuning}"

    @property
    def short(self) -> str:
        """The row in words among its model's: "qlora wanda 2:4", "base", "full layers_75%"."""
        shrunk = [] if self.shrink == NONE else [self.shrink]
        pruned = [] if self.pruner == NONE else [self.pruner, self.sparsity]
        return " ".join([self.finetuning, *shrunk, *pruned])

    @property
    def name(self) -> str:
        """The row in words: "opt-125m qlora wanda 2:4"."""
        return f"{self.model} {self.short}"


def pruners() -> list[str]:
    """The pruners there are: one file each in sparsesum/pruning/pruners/."""
    return sorted(path.stem for path in (LIBRARY / "pruning" / "pruners").glob("[!_]*.py"))


def methods() -> list[str]:
    """The ways of fine-tuning there are: one file each in sparsesum/finetuning/methods/."""
    return sorted(path.stem for path in (LIBRARY / "finetuning" / "methods").glob("[!_]*.py"))


def _lines(path: Path, columns: list[str], key: str) -> list[list[str]]:
    """The cells of each line of a grid's file, the line with the columns' names first."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; `{key}:` in the config names the table of rows")
    try:
        # Some editors begin a file with a mark of its encoding.
        with path.open(newline="", encoding="utf-8-sig") as file:
            # Blanks and tabs at a line's end are nobody's cells.
            lines = list(csv.reader((line.rstrip() for line in file), delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no tab-separated table in UTF-8: {error}") from None
    if not lines or lines[0] != columns:
        raise InputError(f"{path}, line 1: the columns must be {', '.join(columns)}, tab-separated")
    return lines


def read(
    path: str | Path, models: list[str], columns: list[str] = COLUMNS, key: str = "grid"
) -> list[Row]:
    """The rows of a grid; an InputError names the file, the line and what is allowed there.

    columns: COLUMNS, or SHRUNK where rows may be shrunk. key: the config's, which names the file.
    """
    lines = _lines(Path(path), columns, key)
    allowed = {
        "model": models,
        "finetuning": [BASE, *methods()],
        "pruner": [NONE, *pruners()],
    }
    rows: dict[str, int] = {}
    found = []
    for number, cells in enumerate(lines[1:], start=2):
        place = f"{path}, line {number}"
        if not cells or cells[0].startswith("#"):
            continue
        if len(cells) != len(columns):
            raise InputError(
                f"{place}: {len(cells)} cells where there must be {len(columns)}, tab-separated: "
                + ", ".join(columns)
            )
        row = Row(**dict(zip(columns, (cell.strip() for cell in cells), strict=True)))
        for column, values in allowed.items():
            if (cell := getattr(row, column)) not in values:
                raise InputError(
                    f"{place}: unknown {column} '{cell}'; allowed: {', '.join(values)}"
                )
        if (row.pruner == NONE) != (row.sparsity == NONE):
            raise InputError(
                f"{place}: pruner '{row.pruner}' with sparsity '{row.sparsity}'; a pruned row has "
                f"both, an unpruned one has '{NONE}' in both"
            )
        try:
            same = rows.setdefault(row.path, number)
        except InputError as error:
            raise InputError(f"{place}: {error}") from None
        if same != number:
            raise InputError(f"{place}: the same row as line {same}; a row may stand once")
        found.append(row)
    if not found:
        raise InputError(f"{path}: no rows; a row is {', '.join(columns)}, tab-separated")
    return found


def crossed(
    models: list[str], finetuning: str, names: list[str], sparsities: list[str]
) -> list[Row]:
    """The rows of the pruning grid: of each model the unpruned one, then pruners x patterns.

    `names`: of pruners. An InputError names the config's key and what is allowed there.
    """
    for name in names:
        if name not in pruners():
            raise InputError(
                f"key 'pruning_grid.pruners': unknown pruner '{name}'; allowed: "
                + ", ".join(pruners())
            )
    cells = [(NONE, NONE), *product(names, sparsities)]
    rows = [Row(model, finetuning, *cell) for model in models for cell in cells]
    try:
        checkpoints = Counter((row.model, row.checkpoint) for row in rows)
    except InputError as error:
        raise InputError(f"key 'pruning_grid.sparsities': {error}") from None
    for (_, checkpoint), count in checkpoints.items():
        if count > 1:
            raise InputError(
                f"key 'pruning_grid': {checkpoint} stands there twice; a pruner and a pattern may "
                "stand once"
            )
    return rows
