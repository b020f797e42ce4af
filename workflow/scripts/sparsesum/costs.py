"""What a row costs to run, measured on a machine that does nothing else meanwhile."""

import time

import torch

from sparsesum import device as devices
from sparsesum.generation import generate
from sparsesum.prompt import PAPER


def _now(device: torch.device) -> float:
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def inference_seconds(
    model, tokenizer, prompts, batch_size, max_new_tokens, progress, stop=PAPER.stop
) -> float:
    """Seconds to generate for all prompts, after a first batch that does not count.

    Model and tokens are in memory: loading and scoring are not in it (the paper's figure has both).
    """
    device = next(model.parameters()).device
    generate(model, tokenizer, prompts[:batch_size], batch_size, 2)
    start = _now(device)
    generate(model, tokenizer, prompts, batch_size, max_new_tokens, progress, stop)
    return _now(device) - start


@torch.inference_mode()
def milliseconds_per_token(model, prompt: list[int], tokens: int, repeats: int) -> list[float]:
    """Milliseconds a new token at batch size 1, of each of `repeats` runs, the fastest first.

    The difference between generating `tokens` + 1 and 1 new tokens, so the prompt is not in it; an
    end token is not a reason to stop.
    """
    device = next(model.parameters()).device
    ids = torch.tensor([prompt], device=device)
    mask = torch.ones_like(ids)

    def run(count: int) -> float:
        start = _now(device)
        model.generate(
            input_ids=ids,
            attention_mask=mask,
            do_sample=False,
            min_new_tokens=count,
            max_new_tokens=count,
        )
        return _now(device) - start

    run(2)
    return sorted(1000 * (run(tokens + 1) - run(1)) / tokens for _ in range(repeats))


def protocol(device: torch.device, dtype: str, engine: str, batch_size: int) -> dict:
    """How the figures were come by; it stands beside them."""
    return {
        "device": devices.name(device),
        "dtype": dtype,
        "engine": engine,
        "batch_size": batch_size,
        "peak_memory_mb": round(devices.peak_memory_mb(device), 1),
    }
