"""
The configuration, checked; the grid's rows; and what was published beside them.
"""

import os
import re
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError

ROOT = Path(workflow.basedir)
sys.path.insert(0, str(ROOT / "workflow" / "scripts"))

from sparsesum.base import hub
from sparsesum.base.errors import InputError
from sparsesum.experiment import grid, published_table, settings, shrinks
from sparsesum.experiment.evaluated import SPLITS
from sparsesum.jobs import locks, places, sources
from sparsesum.jobs.sources import code
from sparsesum.scoring import encoder

try:
    places.check(str(ROOT), "{}", "Snakemake takes them for wildcards")
    # Snakemake puts it into shell commands as it is: a space there would end the command.
    sys.executable, os.environ["PATH"] = places.interpreter(
        sys.executable, os.environ.get("PATH", os.defpath)
    )
except InputError as error:
    raise WorkflowError(str(error))

if workflow.is_main_process:
    # A killed Snakemake leaves its lock. This stays open for as long as we live.
    ALIVE = locks.clear_stale(Path(".snakemake"))


def located(path):
    """A path of the config: as seen from the working directory, or else from the Snakefile."""
    if Path(path).exists() or not (ROOT / path).exists():
        return str(path)
    return os.path.relpath(ROOT / path)


def of_paper(name):
    """A file of the folder with what was published; none where there is no such folder."""
    if config["published"] is None:
        return []
    return f"{located(config['published'])}/{name}"


METHODS = grid.methods()

try:
    settings.validate(
        config,
        ROOT / "workflow" / "schemas" / "config.schema.yaml",
        # Snakemake lists the overlays before what they lie on.
        [*workflow.configfiles[-1:], *workflow.configfiles[:-1]],
        METHODS,
        grid.pruners(),
        shrinks.kinds(),
    )
    settings.put_in_order(config)
    ROWS = grid.read(located(config["grid"]), list(config["models"]))
    # The rows of table_compression: those that are shrunk, and what they are compared with.
    COMPRESSED = grid.read(
        located(config["compression"]), list(config["models"]), grid.SHRUNK, "compression"
    )
    settings.check_methods(config, {row.finetuning for row in [*ROWS, *COMPRESSED]} - {grid.BASE})
    # The rows of table_pruning, as pruned and after QLoRA.
    PRUNING = {
        finetuning: grid.crossed(
            list(dict.fromkeys(row.model for row in ROWS)),
            finetuning,
            config["pruning_grid"]["pruners"],
            config["pruning_grid"]["sparsities"],
        )
        for finetuning in ("base", "qlora")
    }
    encoder.check(located(config["score"]["encoder"]), config["score"]["layer"])
    STANDS_FOR = {row.model: config["models"][row.model].get("stands_for") for row in ROWS}
    PUBLISHED = published_table.read(of_paper("table3.csv")) if config["published"] else []
    # The grid's rows that repeat a published one, and those that stand for one.
    REPEATED = published_table.repeated(PUBLISHED, ROWS)
    COUNTERPARTS = published_table.counterparts(PUBLISHED, ROWS, STANDS_FOR if PUBLISHED else {})
except InputError as error:
    raise WorkflowError(str(error))

TRAINED = [row for row in ROWS if row.finetuning != grid.BASE]
BASES = [row.model for row in ROWS if (row.finetuning, row.pruner) == (grid.BASE, grid.NONE)]
CORPUS = config["corpus"]
# What is fetched of the Hub for them is called by their names there; "" for a folder.
ENCODER = hub.name(located(config["score"]["encoder"]))
TEXT = hub.name(located((config["calibration"]["text"] or {"source": "."})["source"]))
# What paths say of the seed of fine-tuning: of the first nothing, of a further one "@43".
SEEDS = ["", *(f"@{seed}" for seed in config["seeds"][1:])]

# Jobs that run alone leave a core idle each time that they take turns with jobs that share: stage
# by stage there are few such turns. So far apart that two jobs of one stage do not outweigh the
# next. Measuring comes last, with none.
priorities = {"prepare": 1000, "train": 100, "generate": 30, "evaluate": 10}


def any_of(names):
    """A wildcard that is one of these names, and so no way out of results/."""
    return "|".join(map(re.escape, sorted(names)))


# What is done to a checkpoint, in a variant's name: shrinking, step by step, then pruning.
SHRUNK = rf"(?:{any_of(shrinks.kinds())})_[0-9.]+"
SHRUNK = rf"{SHRUNK}(?:\+{SHRUNK})*"
PRUNED = rf"(?:{SHRUNK}\+)?(?:{any_of(grid.pruners())})_[0-9][0-9a-z.]*"


wildcard_constraints:
    corpus=any_of(config["corpora"]),
    model=any_of(config["models"]),
    variant=f"(?:dense|{SHRUNK}|{PRUNED})(?:{any_of(SEEDS)})",
    finetuning=any_of([grid.BASE, *METHODS, *(f"{name}_on_dense" for name in METHODS)]),
    split="train|validation|test",
