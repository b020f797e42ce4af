"""What pruners know of a Linear's inputs: sums over the tokens of the calibration set.

Each function takes and returns as `accumulate` of a pruner does (`sparsesum.pruning.pruners`).
"""

import math

import torch

from sparsesum.pruning.products import add_gram


def squared_norms(
    state: torch.Tensor | None, inputs: torch.Tensor, seen: int, exact: bool
) -> torch.Tensor:
    """The squared norm of each input feature, averaged over calibration sequences.

    inputs: [sequences, tokens, in], float32. Returns s, [in], float32: the sum over tokens of
    x_j^2, a mean over the `seen` sequences before and these (not over tokens: the scale does not
    change the order of scores, but rounding would). Source: ||X_j||_2 in equation 1 of Wanda (arXiv
    2306.11695); the order of the float operations, if `exact`, is its code's.
    """
    count = seen + len(inputs)
    flat = inputs.flatten(0, 1)
    norms = torch.linalg.vector_norm(flat, dim=0) ** 2 if exact else flat.square().sum(0)
    return norms / count if state is None else state.mul_(seen / count).add_(norms / count)


def hessian(
    state: torch.Tensor | None, inputs: torch.Tensor, seen: int, exact: bool
) -> torch.Tensor:
    """The Hessian of the layer's squared error, 2 X X^T, averaged over calibration sequences.

    inputs: [sequences, tokens, in], float32. Returns H, [in, in], float32, a mean over the `seen`
    sequences before and these. Source: H = X X^T in section 3.1 of SparseGPT (arXiv 2301.00774);
    the factor 2 and, if `exact`, the order of the float operations are its code's.
    """
    count = seen + len(inputs)
    flat = inputs.flatten(0, 1)
    if exact:
        scaled = math.sqrt(2 / count) * flat.t()
        product = scaled @ scaled.t()
        return product if state is None else state.mul_(seen / count).add_(product)
    if state is None:
        state = inputs.new_zeros(flat.shape[1], flat.shape[1])
    add_gram(state, flat, 2 / count, seen / count)
    return state
