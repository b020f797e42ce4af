"""How far a pruned checkpoint's Linears are from the dense ones: errors of their outputs."""

import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

from sparsesum.base import finite
from sparsesum.jobs.stopwatch import Stopwatch
from sparsesum.models.linears import full_name
from sparsesum.models.tensorfile import TensorFile
from sparsesum.pruning.activations import hessian
from sparsesum.pruning.layers import Layers
from sparsesum.pruning.layerwise import READERS, Inputs, walk


def _silent(done: int, text: str) -> None:
    pass


@torch.no_grad()
def errors(
    dense: Path,
    pruned: Path,
    sequences: torch.Tensor,
    scratch: Path,
    device: torch.device | str = "cpu",
    report: Callable[[int, str], None] = _silent,
) -> list[dict[str, Any]]:
    """The relative error ||W X - W' X|| / ||W X|| of each Linear of the decoder layers.

    W: dense, W': pruned, X: the Linear's inputs on the held-out sequences, as pruning has them: a
    layer's statistics come from its dense weights, so fc2 sees the unpruned fc1, and its inputs
    from the pruned layers before it. So an error is that of its own Linear, and those of the layers
    before count as far as they move its inputs. Biases cancel. A layer at a time is in memory.

    dense: a checkpoint's folder; pruned: a safetensors file; both float32. sequences: [count,
    length] token ids, int64, without padding. scratch: a folder for the layers' inputs where memory
    is short, twice count x length x hidden floats; emptied before and removed after. report: called
    after each layer, with the number done and a few words.

    Returns a record a Linear, in the order they run: layer, linear (fc1, self_attn.q_proj, ...),
    error, zeros (of the pruned weights) and weights (their number). An InputError for inputs that
    are not finite. Source: the objective of SparseGPT (arXiv 2301.00774), equation 1, relative to
    the dense output; ||A X||^2 is tr(A G A^T) with the Gram matrix G = X X^T.
    """
    saved = TensorFile(pruned)
    records = []  # type: list[dict[str, Any]]

    def compare(index: int, layer: torch.nn.Module, states: dict[str, torch.Tensor]) -> None:
        for first, names in READERS.items():
            gram = states.pop(first).double()  # of the factor in it only a ratio is taken
            for name in names:
                weight = layer.get_submodule(name).weight  # type: Any
                kept = saved[full_name(index, f"{name}.weight")].to(weight.device)
                lost = _energy(weight.double() - kept.double(), gram)
                whole = _energy(weight.double(), gram)
                records.append(
                    {
                        "layer": index,
                        "linear": name,
                        # A Linear whose outputs are all 0 has nothing to lose, or all.
                        "error": math.sqrt(lost / whole) if whole else math.inf if lost else 0.0,
                        "zeros": int((kept == 0).sum()),
                        "weights": kept.numel(),
                    }
                )
                weight.copy_(kept)
        report(index + 1, f"{records[-1]['error']:.3f} in fc2 of layer {index}")

    layers = Layers(dense, torch.device(device), exact=False)
    Inputs(scratch, exact=False).remove()  # a killed job's may be of other weights
    inputs = Inputs(scratch, exact=False, every=math.inf)
    try:
        walk(layers, inputs, sequences, hessian, compare, exact=False, clock=Stopwatch())
    finally:
        inputs.remove()
    finite.check_values(
        (record["error"] for record in records),
        "the reconstruction error",
        (full_name(record["layer"], record["linear"]) for record in records),
    )
    return records


def _energy(matrix: torch.Tensor, gram: torch.Tensor) -> float:
    """tr(A G A^T), which rounding of G must not make negative."""
    energy = float(((matrix @ gram) * matrix).sum())
    return 0.0 if energy < 0 else energy  # `max` would give 0 for NaN
