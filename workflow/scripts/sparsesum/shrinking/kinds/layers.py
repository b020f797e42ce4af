"""Fewer decoder layers: those go whose removal changes least (ShortGPT, SLEB)."""

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch.nn.functional import cosine_similarity, cross_entropy

from sparsesum.base import finite
from sparsesum.base.errors import InputError
from sparsesum.models import opt
from sparsesum.pruning.layers import Layers
from sparsesum.pruning.layerwise import Inputs, check_sequences
from sparsesum.shrinking import cut, depth

NEEDS = ("calibration",)

TOKENS = 2048
"""Tokens in one forward pass: their logits are all in memory."""


@torch.no_grad()
def shrink(
    source: Path, draft: Path, amount: float, given: cut.Given, by: str = "perplexity"
) -> None:
    """Keep the share `amount` of the decoder layers, rounded down, in their order.

    by: "cosine", the layers of the least influence go (`influences`); "perplexity", one layer goes
    after the other (`least_lost`). An InputError for another.
    """
    config = opt.read_config(source)
    count = cut.kept("decoder layers", config["num_hidden_layers"], amount)
    sequences: Any = given.sequences  # what is None is refused
    check_sequences(sequences, config["max_position_embeddings"])
    if by == "cosine":
        found = influences(source, draft / "inputs", sequences, given)
        # Among equals the first goes.
        order = sorted(range(len(found)), key=found.__getitem__)
        stay = sorted(order[len(found) - count :])
    elif by == "perplexity":
        stay = least_lost(source, count, sequences, given)
    else:
        raise InputError(f"layers by '{by}'; allowed are cosine and perplexity")
    depth.keep_layers(source, draft, stay)


def influences(
    source: Path, scratch: Path, sequences: torch.Tensor, given: cut.Given
) -> list[float]:
    """The block influence of each layer: 1 - the mean cosine of its input and output, of a token.

    scratch: a folder for the layers' inputs where memory is short; removed after. An InputError
    where they are not finite. Source: ShortGPT (arXiv 2403.03853), equation 1, over all tokens of
    the calibration set.
    """
    layers = Layers(source, torch.device(given.device), exact=False)
    inputs = Inputs(scratch, exact=False, every=math.inf)
    found = []  # type: list[float]

    def passed(layer: torch.nn.Module) -> Iterator[torch.Tensor]:
        for batch in inputs.read():
            outputs = layer(batch)
            found[-1] -= float(cosine_similarity(batch, outputs, dim=-1).double().sum())
            yield outputs

    try:
        inputs.place((*sequences.shape, layers.config["hidden_size"]), layers.device)
        inputs.write(0, layers.first_inputs(sequences))
        for index in range(len(layers)):
            found.append(sequences.numel())
            inputs.write(index + 1, passed(layers.load(index)))
            given.report(index + 1, f"layer {index}")
    finally:
        inputs.remove()
    found = [value / sequences.numel() for value in found]
    finite.check_values(found, "the influence", (f"layer {index}" for index in range(len(found))))
    return found


def least_lost(source: Path, count: int, sequences: torch.Tensor, given: cut.Given) -> list[int]:
    """The `count` layers that stay when again and again the one goes that is missed least.

    That is the one without which the calibration set's perplexity is lowest, the first of equals;
    each removal has all that are left looked at anew. An InputError where a perplexity is not
    finite, and where a sequence has no second token. Source: SLEB (arXiv 2402.09025), algorithm 1.
    """
    if sequences.shape[1] < 2:
        raise InputError("calibration.length = 1, and a perplexity needs a second token; raise it")
    config, device = opt.read_config(source), torch.device(given.device)
    state = load_file(Path(source) / "model.safetensors")
    model = opt.model(config, state, device, torch.float32)
    stay = list(range(config["num_hidden_layers"]))
    while len(stay) > count:
        losses = _without_each(model, stay, sequences.to(device))
        finite.check_values(losses, "the likelihood", (f"the model without {i}" for i in stay))
        gone = stay.pop(losses.index(min(losses)))
        given.report(config["num_hidden_layers"] - len(stay), f"layer {gone} goes")
    return stay


def _without_each(model: opt.OPT, stay: Sequence[int], sequences: torch.Tensor) -> list[float]:
    """-log P of all sequences' tokens without each of the layers `stay`, a sum, in nats.

    What comes before the missing layer is the same for all that come after it, and run once.
    """
    layers = [model.decoder.layers[index] for index in stay]
    losses = [0.0] * len(layers)
    size = max(1, TOKENS // sequences.shape[1])
    for ids in torch.split(sequences, size):
        before = model.decoder.embed(ids)
        for place, missing in enumerate(layers):
            hidden = before
            for layer in layers[place + 1 :]:
                hidden = layer(hidden)
            losses[place] += _loss(model, hidden, ids)
            before = missing(before)
    return losses


def _loss(model: opt.OPT, hidden: torch.Tensor, ids: torch.Tensor) -> float:
    """-log P of each token after the first, a sum, from the last layer's outputs."""
    for last in (model.decoder.final_layer_norm, model.decoder.project_out):
        if last is not None:
            hidden = last(hidden)
    logits = model.lm_head(hidden[:, :-1]).flatten(0, 1)
    losses = cross_entropy(logits, ids[:, 1:].flatten(), reduction="none")
    return float(losses.double().sum())
