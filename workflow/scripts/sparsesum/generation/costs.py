"""What a row costs to run, measured on a machine that does nothing else meanwhile."""

from collections.abc import Callable
from typing import Any

import torch

from sparsesum.generation import decoding
from sparsesum.generation.generation import now
from sparsesum.models import opt

NONE = -1
"""The id of no token: nothing ends a sequence."""


def milliseconds_per_token(
    model: torch.nn.Module, prompt: list[int], tokens: int, repeats: int
) -> list[float]:
    """Milliseconds a new token at batch size 1, of each of `repeats` runs, the fastest first.

    The difference between generating `tokens` + 1 and 1 new tokens, so the prompt is not in it; an
    end token is not a reason to stop. A CUDA graph is captured before.
    """
    run = _decoded if isinstance(model, opt.OPT) else _generated  # type: Callable[..., Callable[[], object]]
    decode = {count: run(model, prompt, count) for count in (1, tokens + 1)}

    def seconds(count: int) -> float:
        start = now(device)
        decode[count]()
        return now(device) - start

    device = next(model.parameters()).device
    for count in decode:
        seconds(count)
    return sorted(1000 * (seconds(tokens + 1) - seconds(1)) / tokens for _ in range(repeats))


def _decoded(model: opt.OPT, prompt: list[int], count: int) -> Callable[[], object]:
    decoder = decoding.Greedy(model, 1, len(prompt), count, pad=0, end=NONE)
    return lambda: decoder([prompt], lambda ids: False)


def _generated(model: Any, prompt: list[int], count: int) -> Callable[[], object]:
    ids = torch.tensor([prompt], device=next(model.parameters()).device)
    return lambda: model.generate(
        input_ids=ids,
        attention_mask=torch.ones_like(ids),
        do_sample=False,
        min_new_tokens=count,
        max_new_tokens=count,
    )
