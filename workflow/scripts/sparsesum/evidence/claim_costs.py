"""The paper's claims about costs as tests: what a row takes, beside what another takes.

The claims are those of "Pruning OPT for Summarization"; how each is put to the test is this
project's choice, and stands in the `contrast` of each line.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np

from sparsesum.evidence.claim_lines import counted, untestable
from sparsesum.evidence.claim_tests import models, named, pruned_qlora, unpruned
from sparsesum.experiment.grid import Row
from sparsesum.scoring.bootstrap import FAILS, HOLDS

UNCLEAR = "undecided"

SLOWER = 2.0
"""Claim 2: "several times" is more than this ratio."""

REDUCED = {
    "nonzero_parameters": ("nonzero parameters", 0.95),
    "inference_seconds": ("inference time", 0.9),
    "size_mb": ("bytes on disk", 0.95),
}
"""Claim 8: what is below this share of the unpruned row counts as reduced. Times vary more."""

WAYS = {
    "int8 / dense": ("base", "dense", "dense engine"),
    "int8 / dense, both by transformers": ("qlora", "transformers", "the same weights dense"),
}
"""What the int8 engine is compared with: of which unpruned row which engine, and its words.

The first is what this project generates with; the second differs from the int8 engine in nothing
but the kernels, as in the paper.
"""


def eight_bit_slower(costs: Mapping[Row, dict[str, Any]]) -> list[dict[str, Any]]:
    """Claim 2: the int8 engine's milliseconds a token over those of dense weights, per model."""
    lines = []
    for model in models(costs):
        for way, (finetuning, engine, words) in WAYS.items():
            what = f"{model}, {way}"
            slow, fast = unpruned(model, "qlora"), unpruned(model, finetuning)
            if slow not in costs or fast not in costs:
                lines.append(untestable(2, what, "an unpruned base row or qlora row is missing"))
                continue
            key = "ms_per_token_runs"
            slow_runs, fast_runs = costs[slow][key]["int8"], costs[fast][key][engine]
            if min(len(slow_runs), len(fast_runs)) < 2:
                lines.append(untestable(2, what, "timed once only; measure.repeats sets how often"))
                continue
            # The prompt's own time is taken off each run: on a busy machine nothing may be left.
            if min(*slow_runs, *fast_runs) <= 0:
                reason = "a run took no longer than its prompt; measure again on a quiet machine"
                lines.append(untestable(2, what, reason))
                continue
            value = costs[slow]["ms_per_token"]["int8"] / costs[fast]["ms_per_token"][engine]
            ends = [min(slow_runs) / max(fast_runs), max(slow_runs) / min(fast_runs)]
            said = HOLDS if ends[0] > SLOWER else FAILS if ends[1] < SLOWER else UNCLEAR
            how = (
                f"milliseconds a token at batch size 1, ratio of medians; int8 engine of "
                f"{named(slow)} over {words} of {named(fast)}; ends are the least and the greatest "
                f"ratio of {len(slow_runs)} and {len(fast_runs)} runs; several times is more than "
                f"{SLOWER:g}"
            )
            lines.append(counted(2, what, how, value, ends, said))
    return lines


def nothing_reduced(costs: Mapping[Row, dict[str, Any]]) -> list[dict[str, Any]]:
    """Claim 8: pruned over unpruned QLoRA rows in parameters, time and bytes, per model."""
    lines = []
    for model in models(costs):
        dense, pruned = unpruned(model, "qlora"), pruned_qlora(costs, model)
        for key, (name, limit) in REDUCED.items():
            what = f"{model} qlora, {name}, pruned / unpruned"
            if dense not in costs or not pruned:
                reason = "an unpruned qlora row or pruned ones are missing"
                lines.append(untestable(8, what, reason))
                continue
            ratios = [costs[row][key] / costs[dense][key] for row in pruned]
            below = [ratio < limit for ratio in ratios]
            said = FAILS if all(below) else UNCLEAR if any(below) else HOLDS
            how = (
                f"mean ratio of {len(pruned)} pruned qlora rows to {named(dense)}; ends are the "
                f"least and the greatest; fails (it was reduced) if all are below {limit:g}, holds "
                "if none is"
            )
            lines.append(counted(8, what, how, float(np.mean(ratios)), ratios, said))
    return lines
