"""The grids: the rows of config/grid.tsv, in the table's order, and those of pruners x patterns."""

import csv
from collections import Counter
from dataclasses import dataclass
from itertools import product
from pathlib import Path

from sparsesum.base.errors import InputError
from sparsesum.experiment import patterns

COLUMNS = ["model", "finetuning", "pruner", "sparsity"]
BASE = "base"
"""The fine-tuning of a row that has none."""

NONE = "none"
LIBRARY = Path(__file__).parents[1]


@dataclass(frozen=True)
class Row:
    """A cell of model x sparsity x fine-tuning, as the user wrote it."""

    model: str
    finetuning: str
    pruner: str
    sparsity: str

    @property
    def checkpoint(self) -> str:
        """Pruner and pattern as a part of a path: "dense", "wanda_50", "sparsegpt_2of4"."""
        if self.pruner == NONE:
            return "dense"
        return f"{self.pruner}_{patterns.parse(self.sparsity).name}"

    @property
    def path(self) -> str:
        """What tells this row's artifacts from others': model/sparsity/fine-tuning."""
        return f"{self.model}/{self.checkpoint}/{self.finetuning}"

    @property
    def short(self) -> str:
        """The row in words among its model's: "qlora wanda 2:4", "base"."""
        pruned = [] if self.pruner == NONE else [self.pruner, self.sparsity]
        return " ".join([self.finetuning, *pruned])

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


def _lines(path: Path) -> list[list[str]]:
    """The cells of each line of a grid's file, the line with the columns' names first."""
    if not path.is_file():
        raise InputError(f"{path}: no such file; `grid:` in the config names the table of rows")
    try:
        # Some editors begin a file with a mark of its encoding.
        with path.open(newline="", encoding="utf-8-sig") as file:
            # Blanks and tabs at a line's end are nobody's cells.
            lines = list(csv.reader((line.rstrip() for line in file), delimiter="\t"))
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"{path}: no tab-separated table in UTF-8: {error}") from None
    if not lines or lines[0] != COLUMNS:
        raise InputError(f"{path}, line 1: the columns must be {', '.join(COLUMNS)}, tab-separated")
    return lines


def read(path: str | Path, models: list[str]) -> list[Row]:
    """The rows of a grid; an InputError names the file, the line and what is allowed there."""
    lines = _lines(Path(path))
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
        if len(cells) != len(COLUMNS):
            raise InputError(
                f"{place}: {len(cells)} cells where there must be {len(COLUMNS)}, tab-separated: "
                + ", ".join(COLUMNS)
            )
        row = Row(*(cell.strip() for cell in cells))
        for key, values in allowed.items():
            if getattr(row, key) not in values:
                raise InputError(
                    f"{place}: unknown {key} '{getattr(row, key)}'; allowed: {', '.join(values)}"
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
        raise InputError(f"{path}: no rows; a row is {', '.join(COLUMNS)}, tab-separated")
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
