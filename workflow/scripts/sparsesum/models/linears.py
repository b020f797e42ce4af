"""The Linears of OPT's decoder layers, by name: what is pruned and what may get an adapter."""

import re
from collections.abc import Iterable

DECODER = "model.decoder"

LINEARS = [*(f"self_attn.{name}_proj" for name in ("q", "k", "v", "out")), "fc1", "fc2"]
"""A layer's Linears in the order they run."""

WEIGHT = re.compile(rf"(?:^|\.)layers\.(\d+)\.({'|'.join(map(re.escape, LINEARS))})\.weight$")
"""A weight's name: the layer's number, and the name of the Linear in the layer."""


def full_name(layer: int, linear: str) -> str:
    """The name of a layer's Linear in the whole model."""
    return f"{DECODER}.layers.{layer}.{linear}"


def weights(names: Iterable[str]) -> list[str]:
    """Those of the names of a state dict that are weights of these Linears, whatever their prefix.

    Six a layer: q, k, v and out_proj, fc1, fc2. Not their biases, nor any norm, embedding,
    projection or head.
    """
    return [name for name in names if WEIGHT.search(name)]
