"""What trainings do to the grid: all rows over several seeds and several runs, as tables.

    .venv/bin/python benchmarks/trainings.py RESULTS [RESULTS ...]

Each RESULTS is a results/ folder with the examples' scores of `seeds.csv`, such as those of two
numbers of threads, which add floats in another order: that stands for another machine. A training
is a seed in a folder. Means of test ROUGE-Lsum; paired differences of rows, training by training,
with Student's 95 % interval over trainings; and how full, QLoRA and base stand in each training.
"""

import sys
from pathlib import Path
from statistics import fmean, stdev

import pandas

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))

from sparsesum.evidence import trainings

Means = dict[tuple[str, str], dict[str, float]]
"""By model and row, by training, the mean of test ROUGE-Lsum."""


def read(folders: list[str]) -> Means:
    """Of each row below RESULTS/examples/CORPUS/MODEL/VARIANT[@SEED]/FINETUNING.csv."""
    found: Means = {}
    for folder in folders:
        for file in sorted(Path(folder, "examples").rglob("*.csv")):
            model, variant, finetuning = file.with_suffix("").parts[-3:]
            checkpoint, _, seed = variant.partition("@")
            scores = pandas.read_csv(file)
            mean = float(scores.loc[scores["split"] == "test", "rougeLsum"].mean())
            row = f"{finetuning} {checkpoint}"
            found.setdefault((model, row), {})[f"{folder} {seed or 'first'}"] = mean
    return found


def gap(means: Means, model: str, one: str, other: str) -> str:
    """A row minus another: mean over trainings that both have, its interval, how often above 0."""
    left, right = means[model, one], means[model, other]
    gaps = [left[run] - right[run] for run in left if run in right]
    half = trainings.half(stdev(gaps) / len(gaps) ** 0.5, len(gaps) - 1)
    above = sum(each > 0 for each in gaps)
    return f"{fmean(gaps):+.3f} ±{half:.3f} | {above} of {len(gaps)}"


def table(heads: list[str], lines: list[list[str]]) -> None:
    print("| " + " | ".join(heads) + " |")
    print("|" + " --- |" * len(heads))
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def main() -> None:
    means = read(sys.argv[1:])
    models = list(dict.fromkeys(model for model, _ in means))
    trained = {key: of for key, of in means.items() if len(of) > 1}
    lines = []
    for (model, row), of in means.items():
        finetuning, checkpoint = row.split()
        values = list(of.values())
        spread = f"{stdev(values):.3f}" if len(values) > 1 else ""
        ends = f"{min(values):.3f} to {max(values):.3f}" if len(values) > 1 else ""
        unpruned = f"{finetuning} dense"
        against = ["", ""]
        if (model, row) in trained and checkpoint != "dense":
            against = gap(means, model, row, unpruned).split(" | ")
        lines.append([model, row, str(len(values)), f"{fmean(values):.3f}", spread, ends, *against])
    table(
        ["model", "row", "trainings", "mean", "spread", "range", "minus unpruned", "above it"],
        lines,
    )
    pairs: list[tuple[str, str]] = [
        ("qlora dense", "qlora wanda_50"),
        ("qlora wanda_50", "qlora wanda_4of8"),
        ("qlora wanda_4of8", "qlora wanda_2of4"),
        ("qlora wanda_2of4", "qlora magnitude_2of4"),
        ("qlora sparsegpt_2of4", "qlora magnitude_2of4"),
        ("qlora sparsegpt_2of4", "qlora wanda_2of4"),
        ("full dense", "qlora dense"),
    ]
    lines = [
        [model, f"{one} minus {other}", *gap(means, model, one, other).split(" | ")]
        for model in models
        for one, other in pairs
        if (model, one) in trained and (model, other) in trained
    ]
    table(["model", "difference", "mean over trainings", "above 0"], lines)
    for model in models:
        runs, below = means[model, "full dense"], means[model, "qlora dense"]
        held = sum(runs[run] > below[run] > base(means, model) for run in runs)
        print(f"{model}: full > qlora > base ({base(means, model):.3f}) in {held} of {len(runs)}")


def base(means: Means, model: str) -> float:
    """The unpruned base's mean, which no training moves."""
    return fmean(means[model, "base dense"].values())


if __name__ == "__main__":
    main()
