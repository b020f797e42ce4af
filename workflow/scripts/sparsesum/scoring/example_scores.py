"""The scores of rows' examples, read to be compared: the same bills in the same order."""

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pandas

from sparsesum.base.errors import InputError

BILL = ["split", "id"]
"""The columns that say which example a line is of."""

METRICS = {"rougeLsum": "ROUGE-Lsum", "bertscore": "BERTScore", "fact_f1": "Fact F1"}
"""Metrics as people write them; another is called as its column is."""


def read(*files: str | Path) -> pandas.DataFrame:
    """A row's scores, a line an example: split, id, and each metric of the files as a number.

    The files hold the same examples in the same order. Marks (blank, cut_off) are 0 or 1, a score
    that an example does not have is nan. Raises InputError if a file is of other examples.
    """
    first, *rest = (pandas.read_csv(file, dtype={"id": str}) for file in files)
    frames = [first[BILL], first.drop(columns=BILL).astype(float)]
    for file, frame in zip(files[1:], rest, strict=True):
        if not frame[BILL].equals(first[BILL]):
            raise InputError(
                f"{file}: not the examples of {files[0]}; delete both and run again, which "
                "rebuilds them"
            )
        frames.append(frame.drop(columns=BILL).astype(float))
    return pandas.concat(frames, axis=1)


def of_split(file: str | Path, split: str) -> pandas.DataFrame:
    """The scores of one split's examples in a file, as `read` gives them, numbered from 0."""
    scores = read(file)
    return scores[scores["split"] == split].reset_index(drop=True)


def mean(trainings: Sequence[pandas.DataFrame]) -> pandas.DataFrame:
    """The mean of each example's scores over a row's trainings, all of the same examples."""
    first = trainings[0]
    check_same_bills({f"training {number}": frame for number, frame in enumerate(trainings)})
    return first[BILL].join(sum(frame.drop(columns=BILL) for frame in trainings) / len(trainings))


def check_same_bills(scores: Mapping[str, pandas.DataFrame]) -> None:
    """Raise InputError unless all have the same examples, in one order, two or more of each split.

    `scores`: of each row, by its name.
    """
    first, *rest = scores
    for split, rows in scores[first].groupby("split", sort=False):
        if len(rows) < 2:
            raise InputError(f"{first}: {len(rows)} {split} example; a comparison needs two")
    for name in rest:
        if not scores[name][BILL].equals(scores[first][BILL]):
            raise InputError(
                f"{name}: not the bills of {first}; delete its files in results/ and run again"
            )


def check_metrics(names: Iterable[str], scores: Mapping[str, pandas.DataFrame]) -> None:
    """Raise InputError unless every row has scores of these names."""
    for row, frame in scores.items():
        for name in names:
            if name not in (allowed := [column for column in frame if column not in BILL]):
                raise InputError(
                    f"key 'comparisons.metrics': {row} has no scores '{name}'; allowed: "
                    + ", ".join(allowed)
                )
