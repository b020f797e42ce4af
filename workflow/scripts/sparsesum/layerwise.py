"""The walk through a model's decoder layers: calibrate one, prune it, feed the next from it.

Source: the reference code of SparseGPT (arXiv 2301.00774) and Wanda (arXiv 2306.11695).
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import ModuleType
from typing import TYPE_CHECKING

import torch

from sparsesum.errors import InputError
from sparsesum.patterns import Pattern
from sparsesum.sparsity import grouped

if TYPE_CHECKING:
    from transformers import OPTForCausalLM

READERS = {
    "self_attn.q_proj": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attn.out_proj": ("self_attn.out_proj",),
    "fc1": ("fc1",),
    "fc2": ("fc2",),
}
"""A layer's Linears in the order they run: those that read the same inputs share one statistic."""


class _Enough(Exception):
    """Ends a forward pass that has shown what was wanted."""


def _silent(done: int, text: str) -> None:
    pass


@torch.no_grad()
def prune(
    model: OPTForCausalLM,
    sequences: torch.Tensor | None,
    pruner: ModuleType,
    pattern: Pattern,
    options: dict,
    report: Callable[[int, str], None] = _silent,
) -> None:
    """Prune all Linears of the model's decoder layers, in place; nothing else changes.

    Layer by layer: the six Linears' statistics come from one pass through the dense layer, so fc2
    sees the unpruned fc1; then all six are pruned; then the pruned layer makes the inputs of the
    next. One calibration sequence at a time, so that sums run in the reference code's order.

    model: float32, left in evaluation mode. sequences: [count, length] token ids, int64, without
    padding; not used by a pruner without `accumulate`. pruner: a module of `sparsesum.pruners`;
    options: its options. report: called after each layer with the number of layers done and a few
    words.

    An InputError, which names the Linear, for a pattern that does not fit it or inputs that are not
    finite; the model is then pruned in part.
    """
    model.eval()
    layers = model.model.decoder.layers
    prefix = "model.decoder.layers"
    if pattern.m:  # tell at once, not after the first layer's calibration
        for index, layer in enumerate(layers):
            for name in _linears():
                with _naming(f"{prefix}.{index}.{name}"):
                    grouped(layer.get_submodule(name).weight, pattern.m)

    accumulate = getattr(pruner, "accumulate", None)
    if accumulate:
        if sequences is None or not sequences.numel():
            raise InputError("the calibration set is empty: this pruner needs some text")
        hidden, arguments = _first_inputs(model, sequences)

    for index, layer in enumerate(layers):
        states = {}
        if accumulate:
            states = _statistics(layer, hidden, arguments, accumulate)
            for name in _linears():
                if not states[name].isfinite().all():
                    raise InputError(
                        f"{prefix}.{index}.{name}: its inputs on the calibration set are NaN, "
                        "infinite or too large to be squared; is the model sound?"
                    )
        zeros = total = 0
        for name in _linears():
            weight = layer.get_submodule(name).weight
            with _naming(f"{prefix}.{index}.{name}"):
                weight.copy_(pruner.sparsify(weight, states.get(name), pattern, **options))
            zeros += int((weight == 0).sum())
            total += weight.numel()
        if accumulate and index + 1 < len(layers):
            for i, inputs in enumerate(hidden):
                hidden[i] = layer(inputs, **arguments)
        report(index + 1, f"{zeros / total:.1%} of layer {index} is zero")


def _linears() -> list[str]:
    """The names of a layer's six Linears."""
    return [name for names in READERS.values() for name in names]


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Put the name of the Linear before an InputError's message."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _first_inputs(
    model: OPTForCausalLM, sequences: torch.Tensor
) -> tuple[list[torch.Tensor], dict[str, object]]:
    """What the model hands its first layer: hidden states, [1, length, hidden] a sequence, and the
    other arguments (mask, positions), which are the same for all sequences and all layers.

    The model's own forward pass makes them, so that embeddings, positions and project_in are right.
    """
    hidden: list[torch.Tensor] = []
    arguments: dict[str, object] = {}

    def catch(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
        hidden.append(args[0])
        arguments.update(kwargs)
        raise _Enough

    handle = model.model.decoder.layers[0].register_forward_pre_hook(catch, with_kwargs=True)
    try:
        for sequence in sequences:
            # Without a cache: one would grow with every layer's every pass.
            with suppress(_Enough):
                model(sequence[None].to(model.device), use_cache=False)
    finally:
        handle.remove()
    return hidden, arguments


def _statistics(
    layer: torch.nn.Module,
    hidden: list[torch.Tensor],
    arguments: dict[str, object],
    accumulate: Callable[[torch.Tensor | None, torch.Tensor, int], torch.Tensor],
) -> dict[str, torch.Tensor]:
    """The pruner's state for each of the layer's Linears, by name, after one pass over `hidden`."""
    states: dict[str, torch.Tensor] = {}
    seen = 0

    def watch(name: str) -> Callable:
        def observe(module: torch.nn.Module, args: tuple) -> None:
            inputs = args[0].flatten(0, -2).float()
            states[name] = accumulate(states.get(name), inputs, seen)
            if name == "fc2":  # its own output is of no use: the layer is about to change
                raise _Enough

        return observe

    handles = [layer.get_submodule(name).register_forward_pre_hook(watch(name)) for name in READERS]
    try:
        for seen, inputs in enumerate(hidden):  # noqa: B007 - the hooks read `seen`
            with suppress(_Enough):
                layer(inputs, **arguments)
    finally:
        for handle in handles:
            handle.remove()
    return {name: states[first] for first, names in READERS.items() for name in names}
