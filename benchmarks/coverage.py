"""How often a 95 % interval over 100 examples holds the true mean, on scores like ours.

    .venv/bin/python benchmarks/coverage.py [SIMULATIONS]

Ours is the percentile bootstrap with 1,000 resamples (`bootstrap.interval`); beside it BCa with as
many, and Student's t. Of two rows' difference (`comparison.compare`, 9,999 resamples): the coverage
again, and how often p is 0.05 or less where there is none. A share of 2,000 simulations is known to
1 point; the default is 10,000, which is 2 minutes on one core.

Then the same of a row that was trained two, three or five times, one of five such rows of a model:
an interval over bills alone, the bootstrap over trainings and bills, and ours
(`evidence.trainings`).
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from itertools import product
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))

from sparsesum.evidence import trainings
from sparsesum.evidence.comparison import compare
from sparsesum.experiment.grid import Row
from sparsesum.scoring.bootstrap import interval

EXAMPLES = 100
TOGETHER = 100
"""So many simulations are resampled by the same draws."""

Draw = Callable[[np.random.Generator, tuple[int, ...]], np.ndarray]


def zero_inflated(draw: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Of a row that leaves three in ten bills blank."""
    return np.where(draw.random(shape) < 0.3, 0, draw.beta(2, 5, shape))


def bimodal(draw: np.random.Generator, shape: tuple[int, ...]) -> np.ndarray:
    """Right about four bills in five, and wrong about the others."""
    return np.where(draw.random(shape) < 0.8, draw.beta(18, 2, shape), draw.beta(2, 18, shape))


KINDS: dict[str, tuple[Draw, float]] = {
    "normal": (lambda draw, shape: draw.normal(0.4, 0.1, shape), 0.4),
    "beta(2, 5)": (lambda draw, shape: draw.beta(2, 5, shape), 2 / 7),
    "30 % zeros": (zero_inflated, 0.7 * 2 / 7),
    "bimodal": (bimodal, 0.8 * 0.9 + 0.2 * 0.1),
    "5 % share": (lambda draw, shape: (draw.random(shape) < 0.05).astype(float), 0.05),
}
"""Scores of examples, and their true mean."""


def rows(kind: Draw, draw: np.random.Generator, count: int) -> tuple[np.ndarray, np.ndarray]:
    """Scores of two rows that do not differ, on the same bills: [count, EXAMPLES] each.

    They have the same score on every second bill, or so: the correlation is one half.
    """
    shape = (count, EXAMPLES)
    one, other = kind(draw, shape), kind(draw, shape)
    return one, np.where(draw.random(shape) < 0.5, one, other)


def bca(values: list[float], resamples: int, seed: int) -> tuple[float, float]:
    """The bias-corrected and accelerated bootstrap interval of a mean."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # All values the same: no interval, which counts as a miss.
        found = stats.bootstrap((values,), np.mean, n_resamples=resamples, method="BCa", rng=seed)
    return found.confidence_interval


def student(values: list[float], resamples: int, seed: int) -> tuple[float, float]:
    """Student's interval of a mean; it resamples nothing."""
    half = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return np.mean(values) - half, np.mean(values) + half


def covered(method: Callable, kind: str, simulations: int, resamples: int = 1000) -> float:
    """The share of simulations whose interval of the mean holds the true one."""
    scores, truth = KINDS[kind]
    samples = scores(np.random.default_rng(1), (simulations, EXAMPLES))
    ends = [method(list(sample), resamples, seed) for seed, sample in enumerate(samples)]
    return float(np.mean([low <= truth <= high for low, high in ends]))


def compared(
    kind: str, simulations: int, resamples: int = 9999, method: Callable = compare
) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Of two rows that do not differ: whether the interval holds 0, and the p-value."""
    draw = np.random.default_rng(2)
    for seed in range(simulations // TOGETHER):
        one, other = rows(KINDS[kind][0], draw, TOGETHER)
        found = method(one - other, resamples, seed)
        yield (found.low <= 0) & (found.high >= 0), found.p


def trained(
    count: int, simulations: int, spread: float, resamples: int = 500, rows: int = 5
) -> Iterator[tuple[bool, bool, bool]]:
    """Of a row's mean over `count` trainings: whether each kind of interval holds the true one.

    Means of trainings have a standard deviation of `spread`, scores of bills one of 0.2.
    """
    draw = np.random.default_rng(3)
    row, truth = Row("model", "qlora", "none", "none"), 0.6
    for seed in range(simulations):
        luck, bills = draw.normal(0, spread, (rows, count, 1)), draw.normal(0, 0.2, EXAMPLES)
        scores = truth + luck + bills + draw.normal(0, 0.1, (rows, count, EXAMPLES))
        measured = trainings.measured(scores.mean(2))
        found = trainings.contrast(
            scores[0].mean(0),
            of={row: 1},
            spreads={"model": measured},
            resamples=resamples,
            seed=seed,
        )
        chosen = draw.integers(count, size=(resamples, count, 1))
        again = draw.integers(EXAMPLES, size=(resamples, 1, EXAMPLES))
        means = scores[0][chosen, again].mean((1, 2))
        ends = [found.bills[1:3], np.percentile(means, [2.5, 97.5]), found.both[1:3]]
        yield tuple(bool(low <= truth <= high) for low, high in ends)


def main() -> None:
    simulations = int(sys.argv[1]) if sys.argv[1:] else 10_000
    columns = ["mean: ours", "BCa", "Student", "difference: ours", "p <= 0.05"]
    print(f"{simulations:,} simulations of {EXAMPLES} examples")
    print(f"{'scores':<12}" + "".join(f"{column:>18}" for column in columns))
    for kind in KINDS:
        shares = [covered(method, kind, simulations) for method in (interval, bca, student)]
        held, p = map(np.concatenate, zip(*compared(kind, simulations), strict=True))
        shares += [held.mean(), (p <= 0.05).mean()]
        print(f"{kind:<12}" + "".join(f"{share:>18.1%}" for share in shares), flush=True)
    print(f"{'trainings':<12}" + "".join(f"{c:>18}" for c in ["bills alone", "bootstrap", "ours"]))
    for count, spread in product((2, 3, 5), (0.02, 0.05)):
        shares = np.mean(list(trained(count, simulations // 5, spread)), axis=0)
        label = f"{count}, {spread:g}"
        print(f"{label:<12}" + "".join(f"{share:>18.1%}" for share in shares), flush=True)


if __name__ == "__main__":
    main()
