"""What a GPU needs for the paper's grid: each stage's rate at true shape, then the plan.

    make bench-gpu                            or: python3 benchmarks/gpu.py
    python3 benchmarks/gpu.py --wanda FOLDER  beside locuslab/wanda, a clone of it
    python3 benchmarks/gpu.py --protocol      beside the paper's own way to train and to generate

Models of both shapes with random weights, token ids drawn at random, bills of the length that
BillSum's have after truncation: no time of a step depends on more. Prints a line as each figure is
there, and at the end how long the whole of paper.yaml and of recommended.yaml will take.

The stages are in gpu_stages.py, what they work on in gpu_stand_ins.py, what they are set beside in
gpu_peers.py; the plan's arithmetic is in gpu_plan.py, smaller cards in gpu_memory.py.
"""

import argparse
import os
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import gpu_plan

if TYPE_CHECKING:
    from gpu_stages import Bench

sys.path.insert(0, str(gpu_plan.ROOT / "workflow" / "scripts"))
from sparsesum.base.errors import InputError

os.environ |= {"TQDM_DISABLE": "1", "HF_HUB_OFFLINE": "1", "USE_TF": "0", "USE_JAX": "0"}


def measure(bench: "Bench", presets: dict[str, dict], wanda: Path | None, protocol: bool) -> None:
    """All rates that the plan needs, one after the other."""
    import gpu_stages as stages
    from gpu_stand_ins import MODELS

    stages.starts(bench)
    for model in MODELS:
        for name in ("wanda", "sparsegpt"):
            stages.prune(bench, model, name, wanda if model == "opt-125m" else None)
        losses = {}
        for preset, config in presets.items():
            for kind in ("full", "qlora"):
                losses[preset, kind] = stages.train(bench, model, kind, config[kind], preset)
        if protocol and model == "opt-125m":
            settings = presets["paper"]["qlora"]
            stages.published(bench, model, settings, losses["paper", "qlora"])
        stages.protocol(bench, model)
        for dtype in ("fp32", "bf16"):
            stages.generate(bench, model, dtype)
    stages.score(bench)


def tell(bench: "Bench", presets: dict[str, dict]) -> None:
    """Print the plan, and what the memory is enough for."""
    from gpu_memory import of_card

    from sparsesum.experiment import grid

    print(f"\nThe whole grid on one {bench.card}, minutes:")
    print(f"{'':12}" + "".join(f"{stage:>10}" for stage in (*gpu_plan.STAGES, "all")))
    for preset, config in presets.items():
        rows = grid.read(gpu_plan.ROOT / config["grid"], list(config["models"]))
        spent = gpu_plan.minutes(rows, bench.found, preset, config)
        cells = [*spent.values(), sum(spent.values())]
        print(f"{preset:12}" + "".join(f"{cell:10.1f}" for cell in cells))
    peak = max(figures["peak_gib"] for figures in bench.found.values())
    print(f"Peak memory {peak} GiB. With 16 GiB, paper.yaml: ", end="")
    print(of_card(16, presets["paper"], bench.device))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--wanda", type=Path, help="a clone of locuslab/wanda, to compare with")
    parser.add_argument("--protocol", action="store_true", help="train as the paper did, too")
    given = parser.parse_args()
    presets = {
        "paper": gpu_plan.overlaid("paper"),
        "recommended": gpu_plan.overlaid("paper", "recommended"),
    }
    # torch and transformers look at the environment, which is set by now.
    import torch
    from gpu_stages import Bench

    with tempfile.TemporaryDirectory() as folder:
        try:
            bench = Bench(Path(folder))
        except InputError as error:
            sys.exit(f"error: {error}")
        print(f"{bench.card}, torch {torch.__version__}")
        measure(bench, presets, given.wanda, given.protocol)
        tell(bench, presets)


if __name__ == "__main__":
    main()
