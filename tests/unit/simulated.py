"""Simulated results of a grid of two models: effects of known size."""

import numpy as np
import pandas

from sparsesum.evidence import claim_tests, claims
from sparsesum.evidence.trainings import Spread
from sparsesum.experiment.grid import Row

ROWS = [
    Row(model, *cells.split())
    for model in ("small", "large")
    for cells in (
        "base none none",
        "full none none",
        "qlora none none",
        "qlora wanda 50%",
        "qlora wanda 4:8",
        "qlora wanda 2:4",
        "qlora magnitude 2:4",
        "qlora sparsegpt 2:4",
    )
]
COUNT = 200
SOURCE = "Section 1 . The Secretary of Labor shall convey 777 acres of land to Denbury County ."


def find(frame: pandas.DataFrame, claim: int, words: str) -> pandas.Series:
    """The first line of a claim whose contrast has these words."""
    lines = frame[frame["claim"].str.rstrip("abcdefghijklmnopqrstuvwxyz") == str(claim)]
    return lines[lines["contrast"].str.contains(words, regex=False)].iloc[0]


class Results:
    """Simulated results: each row's scores are a bill's own level plus the row's, plus noise."""

    def __init__(self, levels: dict[str, float], noise: float = 0.05) -> None:
        draw = np.random.default_rng(1)
        bills = draw.uniform(-0.1, 0.1, COUNT)
        self.lengths = list(draw.permutation(np.arange(100, 100 + COUNT)))
        self.scores = {}
        for row in ROWS:
            near = {
                k: v
                for k, v in levels.items()
                if all(w in claim_tests.named(row) for w in k.split())
            }
            # The longest key that fits says the row's level.
            level = near[max(near, key=len)] if near else 0.4
            values = level + bills + draw.normal(0, noise, COUNT)
            ids = [f"bill-{i}" for i in range(COUNT)]
            self.scores[row] = pandas.DataFrame(
                {"id": ids, "rougeLsum": values, "bertscore": values}
            )
        self.costs = {row: self.cost(row) for row in ROWS}
        self.predictions = ["A short one ."] * COUNT
        self.cheats = {"copy": 0.0, "repeat": 0.0}
        # Trainings that do not differ, unless a test says so.
        self.spreads = {"small": Spread(0.0), "large": Spread(0.0)}

    def cost(self, row: Row) -> dict:
        runs = {"dense": [0.9, 1.0, 1.1]}
        if row.finetuning == "qlora":
            runs |= {"int8": [3.6, 4.0, 4.4], "transformers": [1.8, 2.0, 2.2]}
        return {
            "parameters": 1000 if row.model == "small" else 3000,
            "nonzero_parameters": 1000 if row.pruner == "none" else 700,
            "size_mb": 2.0,
            "inference_seconds": 5.0,
            "ms_per_token": {kind: times[1] for kind, times in runs.items()},
            "ms_per_token_runs": runs,
        }

    def table(self, rows: list[Row] = ROWS, resamples: int = 500) -> pandas.DataFrame:
        bases = [row.model for row in rows if row.finetuning == "base"]
        draw = np.random.default_rng(2)
        generations, cheats = {}, {}
        for model in bases:
            frame = self.scores[Row(model, "base", "none", "none")]
            generations[model] = [
                {"id": bill, "prompt_tokens": int(length), "prediction": text}
                for bill, length, text in zip(
                    frame["id"], self.lengths, self.predictions, strict=True
                )
            ]
            cheats[model] = pandas.concat(
                frame.assign(
                    cheat=kind, rougeLsum=frame["rougeLsum"] + gain + draw.normal(0, 0.02, COUNT)
                )
                for kind, gain in self.cheats.items()
            )
        return claims.table(
            scores={row: self.scores[row] for row in rows},
            costs={row: self.costs[row] for row in rows},
            generations=generations,
            cheats=cheats,
            sources={model: [SOURCE] * COUNT for model in bases},
            aware=["sparsegpt", "wanda"],
            spreads=self.spreads,
            preset="simulated",
            resamples=resamples,
            seed=3,
        )
