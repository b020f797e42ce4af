"""How long a whole grid takes on one card: the arithmetic from rates, which needs no GPU.

Run by benchmarks/gpu.py, which measures the rates.
"""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sparsesum.experiment.grid import Row

ROOT = Path(__file__).resolve().parent.parent
STAGES = ("prune", "full", "qlora", "generate", "measure", "examples")
SHARED = 3
"""Jobs at once on a card where their time is no result: prune, examples."""
UNMEASURED = 1.0
"""Seconds of a pruning that has no rate: magnitude's, which reads and writes weights alone."""
NEW_TOKENS = 128
"""Of each bill whose seconds are a rate."""


def overlaid(*names: str) -> dict:
    """The configuration under these overlays of config/, as Snakemake merges them."""
    import yaml

    def merge(low: dict, high: dict) -> dict:
        both = {
            k: merge(low[k], v) if isinstance(v, dict) and isinstance(low.get(k), dict) else v
            for k, v in high.items()
        }
        return low | both

    config: dict = {}
    for name in ("config", *names):
        config = merge(config, yaml.safe_load((ROOT / "config" / f"{name}.yaml").read_text()))
    return config


def minutes(
    rows: Iterable["Row"], found: dict[str, dict], preset: str, config: dict
) -> dict[str, float]:
    """Minutes of each of the STAGES for the rows of a grid.

    found: the rates, by the names that benchmarks/gpu.py prints them under. All are seconds: of a
    job's start, a pruning, a training's step and what is before the first, a bill's generation, a
    row's scores; but ms_a_token, and batch, bills generated at once. preset: whose trainings.

    Training, generation and measurements one after the other; pruning and scoring several at once
    on one card, which makes of them a third. Preparation on the CPU and tables are left out.
    """
    spent = dict.fromkeys(STAGES, 0.0)
    splits = config["corpora"]["billsum"]["splits"]
    bills = splits["validation"]["records"] + splits["test"]["records"]
    dtype = "bf16" if config["generate"]["dtype"] == "auto" else config["generate"]["dtype"]
    # Once more, to warm up.
    measured = config["measure"]["tokens"] * (config["measure"]["repeats"] + 1)

    def start(rule: str) -> float:
        return found[f"start of {rule}"]["seconds"]

    pruned = set()
    for row in rows:
        if row.checkpoint != "dense" and (row.model, row.checkpoint) not in pruned:
            pruned.add((row.model, row.checkpoint))
            rate = found.get(f"prune {row.model} {row.pruner} 2:4", {"seconds": UNMEASURED})
            spent["prune"] += (start("prune") + rate["seconds"]) / SHARED
        if row.finetuning != "base":
            rate, settings = found[f"{row.finetuning} {row.model} {preset}"], config[row.finetuning]
            steps = -(-splits["train"]["records"] // settings["effective_batch"])
            work = rate["before"] + steps * settings["epochs"] * rate["step"]
            spent[row.finetuning] += start(row.finetuning) + work
        rate = found[f"generate {row.model} {dtype}"]
        # The first batch is generated twice.
        spent["generate"] += start("generate") + (bills + rate["batch"]) * rate["a_bill"]
        spent["measure"] += start("measure") + measured * rate["ms_a_token"] / 1000
        if row.finetuning == "qlora" and row.pruner == "none":
            # Also with int8, which imports peft, and transformers' own way, taken to be as slow.
            slow = found[f"transformers' generate {row.model} int8, batch 1"]["a_bill"] / NEW_TOKENS
            spent["measure"] += start("qlora") + 2 * measured * slow
        spent["examples"] += (start("examples") + found["examples"]["seconds"]) / SHARED
    return {stage: seconds / 60 for stage, seconds in spent.items()}
