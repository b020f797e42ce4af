"""What another training does to the grid: every row over several seeds and numbers of threads.

    make table3     # for tokens and pruned checkpoints
    .venv/bin/python benchmarks/trainings.py run 1 42 43 44 45 46 > one.jsonl
    .venv/bin/python benchmarks/trainings.py run 2 42 43 44 45 46 > two.jsonl
    .venv/bin/python benchmarks/trainings.py table one.jsonl two.jsonl

Another number of threads adds floats in another order, which stands for another machine. `run`
trains and generates as the workflow does, in one process and for the test split alone: half an hour
for the embedded grid. A line of its output is one training's ROUGE-Lsum of each bill. `table`
prints means and spreads, paired differences of rows with Student's 95 % interval over trainings,
and in how many trainings full > QLoRA > base.
"""

import json
import sys
import tempfile
from importlib import import_module
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "workflow" / "scripts"))

RESULTS = Path("results")
PAIRS = [
    ("full dense", "qlora dense"),
    ("qlora dense", "qlora wanda_50"),
    ("qlora wanda_50", "qlora wanda_4of8"),
    ("qlora wanda_4of8", "qlora wanda_2of4"),
    ("qlora wanda_2of4", "qlora magnitude_2of4"),
    ("qlora sparsegpt_2of4", "qlora magnitude_2of4"),
    ("qlora sparsegpt_2of4", "qlora wanda_2of4"),
]
"""Rows whose order the paper's text or the reconstruction errors say, the better one first."""


def run(threads: int, seeds: list[int]) -> None:
    """Print a line of JSON a row and seed; of the bases and pruned checkpoints one each."""
    import yaml

    from sparsesum.experiment import grid
    from sparsesum.machine import device

    config = yaml.safe_load(Path("config/config.yaml").read_text(encoding="utf-8"))
    torch_device = device.prepare("cpu", threads)
    rows = grid.read(config["grid"], list(config["models"]))
    bases = [grid.Row(row.model, grid.BASE, row.pruner, row.sparsity) for row in rows]
    for seed in seeds:  # the outer loop: one that is broken off has all rows of some seeds
        for row in dict.fromkeys([*(bases if seed == seeds[0] else []), *rows]):
            if row.finetuning == grid.BASE and seed != seeds[0]:
                continue
            with tempfile.TemporaryDirectory() as scratch:
                scores = once(row, seed, config, torch_device, Path(scratch))
            name = f"{row.finetuning} {row.checkpoint}"
            line = {"model": row.model, "row": name, "threads": threads, "seed": seed}
            print(json.dumps(line | {"scores": scores}), flush=True)


def once(row: Any, seed: int, config: dict[str, Any], device: Any, scratch: Path) -> list[float]:
    """ROUGE-Lsum of each test bill by a row, trained with a seed."""
    import pyarrow.parquet

    from sparsesum.corpus.prompt import Prompt
    from sparsesum.finetuning import finetune
    from sparsesum.finetuning.settings import Notes, Settings, Source
    from sparsesum.generation import generation
    from sparsesum.models import deployed
    from sparsesum.scoring import similarity

    folder = RESULTS / "dense" / row.model
    tokenizer = folder / "tokenizer.json"
    tokens = RESULTS / "tokens" / config["corpus"] / row.model
    if row.pruner != "none":
        folder = RESULTS / "prune" / config["corpus"] / row.model / row.checkpoint
    adapter = None
    if row.finetuning != "base":
        method = import_module(f"sparsesum.finetuning.methods.{row.finetuning}")
        settings = Settings.of(config[row.finetuning] | {"seed": seed})
        source = Source(folder, tokens / "train.parquet", tokenizer)
        folder = scratch / "model"
        folder.mkdir()
        (scratch / "notes").mkdir()
        finetune.finetune(method, source, device, settings, folder, Notes(scratch / "notes"))
        if hasattr(method, "adapt"):
            folder, adapter = folder / "base", folder / "adapter"
    model = deployed.load(folder, adapter, "dense", device)
    asked = pyarrow.parquet.read_table(tokens / "test.parquet").to_pydict()
    wanted, prompt = config["generate"], Prompt(**config["prompt"])
    found = generation.generate(
        model,
        decoder := generation.tokenizer(tokenizer),
        asked["prompt_ids"],
        wanted["batch_size"],
        wanted["max_new_tokens"],
        stop=prompt.stop,
    )
    records = generation.records(asked, found.tokens, decoder, wanted["max_new_tokens"], prompt)
    rouge, _ = similarity.modules()
    texts = {f"{key}s": [each[key] for each in records] for key in ("prediction", "reference")}
    return [round(score, 6) for score in rouge.compute(**texts)["rougeLsum"]]


Means = dict[tuple[str, str], dict[tuple[int, int], float]]
"""By model and row, by threads and seed, the mean of test ROUGE-Lsum."""


def read(files: list[str]) -> Means:
    found: Means = {}
    for file in files:
        for text in Path(file).read_text(encoding="utf-8").splitlines():
            line = json.loads(text)
            of = found.setdefault((line["model"], line["row"]), {})
            of[line["threads"], line["seed"]] = fmean(line["scores"])
    return found


def gap(means: Means, model: str, one: str, other: str) -> list[str]:
    """A row minus another: mean over trainings that both have, its interval, how often above 0."""
    from sparsesum.evidence import trainings

    left, right = means[model, one], means[model, other]
    gaps = [left[run] - right[run] for run in left if run in right]
    half = trainings.half(stdev(gaps) / len(gaps) ** 0.5, len(gaps) - 1)
    return [f"{fmean(gaps):+.3f} ±{half:.3f}", f"{sum(g > 0 for g in gaps)} of {len(gaps)}"]


def table(heads: list[str], lines: list[list[str]]) -> None:
    print("| " + " | ".join(heads) + " |", "|" + " --- |" * len(heads), sep="\n")
    for line in lines:
        print("| " + " | ".join(line) + " |")
    print()


def tables(files: list[str]) -> None:
    """Print all that the lines of `run` say."""
    means = read(files)
    lines = []
    for (model, row), of in means.items():
        values = list(of.values())
        several = len(values) > 1 and not row.startswith("base")
        cells = [model, row, f"{fmean(values):.3f}", f"{stdev(values):.3f}" if several else ""]
        cells.append(f"{min(values):.3f} to {max(values):.3f}" if several else "")
        pruned = several and not row.endswith(" dense")
        lines.append(
            cells + (gap(means, model, row, f"{row.split()[0]} dense") if pruned else [""] * 2)
        )
    table(["model", "row", "mean", "spread", "range", "minus unpruned", "above it"], lines)
    lines = [
        [model, f"{one} minus {other}", *gap(means, model, one, other)]
        for model in dict.fromkeys(model for model, _ in means)
        for one, other in PAIRS
        if (model, one) in means and (model, other) in means
    ]
    table(["model", "difference", "mean over trainings", "above 0"], lines)
    for model in dict.fromkeys(model for model, _ in means):
        full, qlora = means[model, "full dense"], means[model, "qlora dense"]
        base = max(means[model, "base dense"].values())
        held = sum(full[run] > qlora[run] > base for run in full)
        print(f"{model}: full > qlora > base ({base:.3f}) in {held} of {len(full)} trainings")
        spread = fmean(
            stdev(of.values()) ** 2
            for (name, row), of in means.items()
            if name == model and not row.startswith("base")
        )
        print(f"{model}: spread, pooled over its trained rows: {spread**0.5:.4f}")


def main() -> None:
    if len(sys.argv) > 3 and sys.argv[1] == "run":
        run(int(sys.argv[2]), [int(seed) for seed in sys.argv[3:]])
    elif len(sys.argv) > 2 and sys.argv[1] == "table":
        tables(sys.argv[2:])
    else:
        sys.exit(__doc__)


if __name__ == "__main__":
    main()
