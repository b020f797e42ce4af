"""Sparse QLoRA: adapters that leave a pruned base its zeros, merged into it after the training.

SparsePEFT of SQFT, arXiv 2410.03750: the adapter's product has the zeros of the weights that it is
added to, L^p = (B A) * M with M = (W != 0), while it is trained and when it is merged. W are the
values of an int8 base, as in `qlora`.

What is saved is the merged model in int8, packed, and no adapter. Each zero of the base is a zero
there; rounding the merged weights to int8 makes more: what is less than a 254th of its row's
largest.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft.tuners import lora
from torch.nn import functional

from sparsesum.base.errors import InputError
from sparsesum.finetuning import adapters
from sparsesum.finetuning.settings import Settings
from sparsesum.finetuning.training import Trainable
from sparsesum.machine import device as devices
from sparsesum.models import checkpoints, packing, quantisation

OPTIONS = ("rank", "alpha", "dropout", "target_modules", "engine")
ALLOWED = {"dropout": 0, "engine": "dense"}
"""An adapter that is a part of the weight has no inputs of its own to drop, nor int8 kernels."""


def load(checkpoint: Path, device: torch.device, settings: Settings) -> Trainable:
    """The model of a checkpoint with the decoder's Linears in int8.

    An InputError for an option that a masked product cannot have.
    """
    for name, allowed in ALLOWED.items():
        if settings.options[name] != allowed:
            raise InputError(
                f"key 'sparse_qlora.{name}': {settings.options[name]!r}; allowed is {allowed!r}: "
                "the adapter is added to the weight before it is multiplied"
            )
    return Trainable(quantisation.load(checkpoint, device))


class MaskedLinear(lora.Linear):
    """peft's Linear with an adapter, whose product is zero where the weight is."""

    def forward(self: Any, x: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        """x (W + alpha / r * (B A) * M)^T + bias, [..., in] to [..., out]."""
        base = self.base_layer
        product = self.lora_B["default"].weight @ self.lora_A["default"].weight
        weight = base.weight + self.scaling["default"] * product * (base.weight != 0)
        return functional.linear(x, weight.to(x.dtype), base.bias)


def adapt(
    model: torch.nn.Module, base: Path, device: torch.device, settings: Settings
) -> Trainable:
    """Masked adapters beside the int8 base's values, in the dtype of the precision."""
    dtype = devices.dtype(settings.precision, device)
    model = quantisation.load_dense(base, device, dtype).requires_grad_(False)
    adapted = adapters.beside(model, settings.options)
    masked: list[Any] = [module for module in adapted.modules() if isinstance(module, lora.Linear)]
    for module in masked:
        module.__class__ = MaskedLinear
    computed = sum(module.base_layer.weight.numel() for module in masked)
    # float16 needs its loss scaled, which comes with autocast.
    autocast = dtype == torch.float16
    return Trainable(adapted, autocast, not autocast, adapters, computed)


def merge(base: Path, adapter: Path, folder: Path) -> None:
    """Write the base with its adapter merged to `folder`: config.json, model.safetensors, packed.

    Linears without an adapter keep their int8 values, to the bit.
    """
    state = checkpoints.state(base)
    values = quantisation.dequantise(state)
    for name, weight in grown(values, adapter).items():
        scale = f"{name.removesuffix('weight')}SCB"
        state[name], state[scale] = quantisation.quantise(weight)
    packing.write(state, folder / "model.safetensors")
    shutil.copyfile(base / "config.json", folder / "config.json")


def grown(values: Mapping[str, torch.Tensor], adapter: Path) -> dict[str, torch.Tensor]:
    """The weights, [out, in] float32, to which a folder's adapter adds its masked product.

    values: the base's, dequantised. What is 0.0 there is 0.0 here.
    """
    merged = quantisation.merged(values, adapter)
    return {
        name: torch.where(values[name] != 0, weight, 0.0)
        for name, weight in merged.items()
        if weight is not values[name]
    }
