"""How often a 95 % interval over 100 examples holds the true mean, on scores like ours.

    .venv/bin/python benchmarks/coverage.py [SIMULATIONS]

Ours is the percentile bootstrap with 1,000 resamples (`bootstrap.interval`); beside it BCa with as
many, and Student's t. Of two rows' difference (`comparison.compare`, 9,999 resamples): the coverage
again, and how often p is 0.05 or less where there is none. A share of 2,000 simulations is known to
1 point; the default is 10,000, which is 2 minutes on one core.
"""

import sys
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
from scipy import stats

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))

from sparsesum.evidence.comparison import compare
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


if __name__ == "__main__":
    main()
