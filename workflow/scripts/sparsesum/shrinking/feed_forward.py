"""The same number of feed-forward neurons cut out of each decoder layer, and fc2 mended for it.

Source: FASP (arXiv 2501.09412): a column of fc2 goes with the row of fc1 that feeds it, so nothing
is lost but what that neuron said; what stays is fitted to the dense outputs by least squares.
"""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sparsesum.base.errors import InputError
from sparsesum.jobs.stopwatch import Stopwatch
from sparsesum.models import opt
from sparsesum.models.linears import full_name
from sparsesum.models.tensorfile import TensorFile
from sparsesum.pruning.activations import hessian
from sparsesum.pruning.layers import Layers
from sparsesum.pruning.layerwise import Inputs, check_sequences, walk
from sparsesum.shrinking import cut

MULTIPLE = 8
"""Kernels of matrix products like a width that it divides."""

Choose = Callable[[torch.Tensor, torch.Tensor, int], torch.Tensor]
"""Takes fc2, [out, in], the Gram matrix of its inputs and a number; the neurons that stay."""


@torch.no_grad()
def shrink(
    source: Path,
    draft: Path,
    share: float,
    given: cut.Given,
    choose: Choose,
    compensate: bool,
    damping: float,
) -> None:
    """Keep a share of each layer's feed-forward neurons, rounded down to a multiple of 8.

    Layer by layer: the Gram matrix of fc2's inputs comes from a pass through the dense layer; the
    neurons that `choose` does not name go; the shrunk layer makes the inputs of the next. Other
    arguments: as a kind's `shrink` and `compensated` take them.
    """
    config = opt.read_config(source)
    inner = config["ffn_dim"]
    count = cut.kept("feed-forward neurons", inner, share, MULTIPLE)
    sequences: Any = given.sequences  # what is None is refused
    check_sequences(sequences, config["max_position_embeddings"])
    layers = Layers(source, torch.device(given.device), exact=False)
    target = _create(source, draft, len(layers), count)

    def replace(index: int, layer: torch.nn.Module, states: dict[str, torch.Tensor]) -> None:
        fc1, fc2 = layer.get_submodule("fc1"), layer.get_submodule("fc2")
        wide: Any = fc2.weight
        weight, gram = wide.double(), states.pop("fc2").double()
        stay = choose(weight, gram, count)
        new = compensated(weight, gram, stay, damping) if compensate else weight[:, stay]
        for name, parameter in fc1.named_parameters():
            cut.put(target, full_name(index, f"fc1.{name}"), parameter[stay])
        cut.put(target, full_name(index, "fc2.weight"), new.float())
        # The walk's layer has room for all neurons: those that went say nothing to fc2.
        wide.zero_()
        wide[:, stay] = new.float()
        given.report(index + 1, f"{count:,} of {inner:,} neurons of layer {index} stay")

    inputs = Inputs(draft / "inputs", exact=False, every=math.inf)
    try:
        walk(
            layers,
            inputs,
            sequences,
            hessian,
            replace,
            exact=False,
            clock=Stopwatch(),
            watched=["fc2"],
        )
    finally:
        inputs.remove()


def _create(source: Path, draft: Path, layers: int, count: int) -> TensorFile:
    """The file of the shrunk model, in which all is written but fc1 and fc2's weight."""
    shapes = cut.shapes(source)
    others = set(shapes)
    for index in range(layers):
        for name, place in (("fc1.weight", 0), ("fc1.bias", 0), ("fc2.weight", 1)):
            if full_name(index, name) in shapes:  # a model may have no biases
                shapes[full_name(index, name)][place] = count
                others.remove(full_name(index, name))
    target = cut.create(source, draft, {"ffn_dim": count}, shapes)
    tensors = TensorFile(Path(source) / "model.safetensors")
    for name in others:
        cut.put(target, name, tensors[name])
    return target


def compensated(
    weight: torch.Tensor, gram: torch.Tensor, stay: torch.Tensor, damping: float
) -> torch.Tensor:
    """The columns of fc2 that stay, fitted to the outputs of all, [out, stay].

    W' = W_K + W_R H_RK (H_KK + d I)^-1, where K are the columns that stay and R the others: it
    minimises ||X W^T - X_K W'^T||^2 + d ||W' - W_K||^2.

    weight: W, [out, in]; gram: H = X^T X, [in, in], of the inputs X, [tokens, in], times any
    factor; float64. stay: K, ascending. d: `damping` times the mean of H_KK's diagonal. An
    InputError where H_KK cannot be factorised.
    """
    gone = torch.ones(len(gram), dtype=torch.bool, device=gram.device)
    gone[stay] = False
    inner = gram[stay][:, stay]
    dead = inner.diagonal() == 0  # makes up for nothing, whatever stands here
    inner.diagonal().add_(damping * inner.diagonal().mean()).add_(dead)
    factor, failed = torch.linalg.cholesky_ex(inner)
    if failed:
        raise InputError(
            f"the inputs of fc2 are too much alike for damping {damping:g}: raise it, or calibrate "
            "on more text"
        )
    lost = gram[stay][:, gone] @ weight[:, gone].t()
    return weight[:, stay] + torch.cholesky_solve(lost, factor).t()
