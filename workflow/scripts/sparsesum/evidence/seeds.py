"""How much of a row's score is the luck of its training: the spread between seeds."""

import math
from collections.abc import Mapping, Sequence
from itertools import product

import pandas

from sparsesum.base.errors import InputError
from sparsesum.experiment.grid import COLUMNS as CELLS
from sparsesum.experiment.grid import NONE, Row
from sparsesum.scoring.example_scores import BILL, METRICS, check_metrics, check_same_bills

SPREAD = ["mean", "between_seeds", "between_examples"]
COLUMNS = [
    *(*CELLS, "split", "metric", "examples", "seeds"),
    *(*SPREAD, "ratio"),
    *(f"minus_unpruned_{name}" for name in SPREAD),
]


def table(
    scores: Mapping[int, Mapping[Row, pandas.DataFrame]], metrics: Sequence[str], preset: str
) -> pandas.DataFrame:
    """One line a fine-tuned row, split and metric: `metrics`, and then all others there are.

    `scores`: of each seed, of each row, as `example_scores.read` gives them. Columns, in the
    metric's unit; what is not defined is nan:

    examples, seeds     their numbers
    mean                over examples, and then over seeds
    between_seeds       standard deviation (n - 1) of the seeds' means, all of the same examples
    between_examples    standard error of a seed's mean: the standard deviation (n - 1) of its
                        examples over the root of their number; quadratic mean over seeds
    ratio               between_seeds / between_examples
    minus_unpruned_...  the first three of the difference to the model's unpruned row of the same
                        fine-tuning, seed by seed and example by example
    mean_SEED           over examples, of each seed

    Raises InputError if there is no row, or if rows were not scored on the same bills.
    """
    first_seed = next(iter(scores.values()))
    if not first_seed:
        raise InputError("the grid has no fine-tuned row: nothing in it has a seed")
    by_name = {
        f"{row.name}, seed {seed}": frame
        for seed, frames in scores.items()
        for row, frame in frames.items()
    }
    check_same_bills(by_name)
    check_metrics(metrics, by_name)
    first = next(iter(by_name.values()))
    others = [column for column in first if column not in (*BILL, *metrics)]

    def values(row: Row, split: str, metric: str) -> pandas.DataFrame:
        """A line an example, a column a seed."""
        place = first["split"] == split
        return pandas.DataFrame({s: frames[row].loc[place, metric] for s, frames in scores.items()})

    lines = []
    for row, split, metric in product(first_seed, first["split"].unique(), [*metrics, *others]):
        own = values(row, split, metric)
        line = {"model": row.model, "finetuning": row.finetuning, "pruner": row.pruner}
        line |= {"sparsity": row.sparsity, "split": split, "metric": metric}
        line |= {"examples": int(own.notna().all(axis=1).sum()), "seeds": len(scores)}
        line |= spread(own)
        line["ratio"] = math.nan
        if line["between_examples"] > 0:
            line["ratio"] = line["between_seeds"] / line["between_examples"]
        unpruned = Row(row.model, row.finetuning, NONE, NONE)
        if row != unpruned and unpruned in first_seed:
            gap = spread(own - values(unpruned, split, metric))
            line |= {f"minus_unpruned_{name}": figure for name, figure in gap.items()}
        line |= {f"mean_{seed}": mean for seed, mean in own.mean().items()}
        lines.append(line)
    columns = [*COLUMNS, *(f"mean_{seed}" for seed in scores)]
    return pandas.DataFrame(lines).reindex(columns=columns).round(6).assign(preset=preset)


def spread(values: pandas.DataFrame) -> dict[str, float]:
    """SPREAD of a table with a line an example and a column a seed.

    A value that an example does not have is nan, and left out.
    """
    means = values.mean()
    between_examples = math.sqrt((values.sem() ** 2).mean())
    return dict(zip(SPREAD, (means.mean(), means.std(), between_examples), strict=True))


def _printed(line: pandas.Series, seeds: Sequence[int]) -> dict[str, str]:
    """The cells of a line as people read them."""

    def cell(name: str, form: str) -> str:
        return "" if pandas.isna(line[name]) else format(line[name], form)

    gap, luck = (cell(f"minus_unpruned_{name}", "+.3f") for name in SPREAD[:2])
    return {
        "Model": line["model"],
        "Row": Row(*line[CELLS]).short,
        **{f"Seed {seed}": cell(f"mean_{seed}", ".3f") for seed in seeds},
        "Mean": cell("mean", ".3f"),
        "Between seeds": cell("between_seeds", ".3f"),
        "Between examples": cell("between_examples", ".3f"),
        "Ratio": cell("ratio", ".2f"),
        "minus unpruned": gap + (f" ±{luck.lstrip('+')}" if luck else ""),
    }


def markdown(
    frame: pandas.DataFrame, seeds: Sequence[int], metrics: Sequence[str], note: str
) -> str:
    """A table for each of `metrics` and split, test first, and what its figures are."""
    sections = []
    for split, metric in product(sorted(set(frame["split"])), metrics):
        lines = frame[(frame["split"] == split) & (frame["metric"] == metric)]
        printed = pandas.DataFrame(_printed(line, seeds) for _, line in lines.iterrows())
        sections.append(
            f"## {METRICS.get(metric, metric)}, {split}\n\n"
            f"{printed.to_markdown(index=False, disable_numparse=True)}\n"
        )
    alone = (
        "**There is one seed, which says nothing of the luck of a training**: set `seeds:` in the "
        "configuration, or add\n`--configfile config/seeds.yaml`.\n\n"
    )
    return (
        f"# Seeds of fine-tuning, preset {frame['preset'].iloc[0]}\n\n"
        f"{note.strip()}\n\n"
        f"{'' if seeds[1:] else alone}"
        "Between seeds is the standard deviation (n - 1) of the seeds' means: how far another "
        "training of the same row would fall,\non these same bills. Between examples is the "
        "standard error of one seed's mean: how far it would fall on other bills of\nthis kind; "
        "the bootstrap's intervals are some 2 of them to either side. Ratio is the first over the "
        "second. Minus unpruned\nis the row less its model's unpruned row of the same fine-tuning, "
        "mean over seeds, ± the standard deviation (n - 1) of\nthat difference between seeds. A "
        "difference of two rows that is not larger than what lies between seeds may be luck,\n"
        "however small its p-value over bills (results/comparisons.md).\n\n" + "\n".join(sections)
    )
