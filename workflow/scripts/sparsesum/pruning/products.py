"""Matrix products whose float sums may run in any order: what fast pruning is built on.

On a CPU they go through oneDNN's convolution, of one pixel. torch hands float32 matrix products to
MKL, which does not use AVX-512 on AMD's processors: oneDNN was twice as fast there
(docs/pruning.md).
"""

import torch
from torch.nn import functional

BLOCK = 256
"""Rows of a Gram matrix computed at once: few enough to leave out most of its lower triangle."""


def linear(
    inputs: torch.Tensor, weight: torch.Tensor, bias: torch.Tensor | None = None
) -> torch.Tensor:
    """inputs weight^T + bias: [..., in] and [out, in] give [..., out]."""
    if inputs.device.type != "cpu" or not torch.backends.mkldnn.is_available():
        return functional.linear(inputs, weight, bias)
    # Tokens as the pixels of one picture, its channels last: no byte is moved on either side.
    pixels = inputs.reshape(1, -1, 1, inputs.shape[-1]).permute(0, 3, 1, 2)
    outputs = functional.conv2d(pixels, weight[:, :, None, None], bias)
    return outputs.permute(0, 2, 3, 1).reshape(*inputs.shape[:-1], len(weight))


class Linear(torch.nn.Linear):
    """torch.nn.Linear by `linear`."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """As torch's: [..., in] gives [..., out]."""
        return linear(inputs, self.weight, self.bias)


def add_gram(state: torch.Tensor, inputs: torch.Tensor, scale: float, decay: float = 1.0) -> None:
    """state = decay * state + scale * X^T X in place, of X, [tokens, features], float32.

    state: [features, features], symmetric. Half of the product is only mirrored.
    """
    if inputs.device.type != "cpu":
        state.addmm_(inputs.t(), inputs, beta=decay, alpha=scale)
        return
    columns = inputs.t().contiguous()
    for start in range(0, len(columns), BLOCK):
        end = start + BLOCK
        product = linear(columns[start:end], columns[start:])
        state[start:end, start:].mul_(decay).add_(product, alpha=scale)
        state[end:, start:end] = state[start:end, end:].t()
