"""How many sequences a device's memory holds at once: what `batch_size: auto` stands for.

By the card's whole memory and the model's shape, not by what is free: the same card gives the same
batches, and so the same bytes. The estimates are upper bounds: tests/unit/test_batch_sizes.py
compares them with what was measured.
"""

from typing import Any

import torch

SHARE = 0.8
"""Of a card's memory; the rest is for CUDA itself, libraries' workspaces and fragments."""

ON_CPU = 16
"""Sequences at once where there is no GPU: more were no faster."""


def _fitting(device: torch.device, fixed: float, each: float, wanted: int) -> int:
    """Of `wanted` sequences those that fit, of `each` bytes, beside `fixed` bytes."""
    if device.type != "cuda":
        return min(wanted, ON_CPU)
    room = SHARE * torch.cuda.get_device_properties(device).total_memory - fixed
    return max(0, min(wanted, int(room / each)))


def of_generation(
    device: torch.device, config: dict[str, Any], length: int, size: int, dense: bool, wanted: int
) -> int:
    """Prompts to decode at once, of `length` tokens with what is generated.

    config: the model's, with the keys of its config.json; size: bytes a number; dense: or by
    transformers and bitsandbytes.
    """
    hidden, layers, ffn = (config[name] for name in ("hidden_size", "num_hidden_layers", "ffn_dim"))
    weights = size * (layers * (4 * hidden**2 + 2 * hidden * ffn) + config["vocab_size"] * hidden)
    cache = 2 * layers * hidden * size
    # A layer at work on the prompts: residuals, q, k, v, both sides of the activation.
    work = (6 * hidden + 2 * ffn) * size
    # transformers' cache grows by copying, and int8 kernels keep what they quantised.
    copies = 1 if dense else 2.5
    return max(1, _fitting(device, 2 * weights, copies * length * (cache + work), wanted))


def of_training(
    device: torch.device,
    config: dict[str, Any],
    length: int,
    trained: int,
    labelled: float,
    half: bool,
    effective: int,
    checkpointing: bool,
) -> int:
    """Sequences to train on at once: the largest divisor of the effective batch that fits, or 0.

    0: not even one does. length: tokens of the longest; trained: parameters that are; labelled: the
    share of tokens that the loss covers; half: products in 16 bits.
    """
    hidden, layers, ffn = (config[name] for name in ("hidden_size", "num_hidden_layers", "ffn_dim"))
    weights = layers * (4 * hidden**2 + 2 * hidden * ffn) + config["vocab_size"] * hidden
    size = 2 if half else 4
    # Kept of a layer for its gradients, in bytes a token, as measured (benchmarks/gpu.py): the same
    # in float32 and in autocast, which keeps both. Of a checkpointed one its inputs are.
    layer = 36 * hidden + 5 * ffn
    kept = layers * 4 * hidden + layer if checkpointing else layers * layer
    # Logits of tokens with a label: as made, in float32, and a gradient.
    logits = labelled * config["vocab_size"] * (size + 8)
    # Weights, and of those that are trained gradient, both moments and a copy in 16 bits.
    fitting = _fitting(device, 4 * weights + 16 * trained, length * (kept + logits), effective)
    return max((n for n in range(1, fitting + 1) if effective % n == 0), default=0)
