"""The model of a row, from the files that deploy it: a checkpoint, and an adapter if it has one."""

from collections.abc import Sequence
from pathlib import Path

import torch

from sparsesum.base import files
from sparsesum.models import opt, packing, quantisation

ENGINES = ["dense", "int8"]
"""How an int8 base is multiplied: made dense once at load, or by bitsandbytes' kernels.

The dense engine is `opt`'s; int8 is the paper's way: transformers, bitsandbytes, peft.
"""


def folders(model: Sequence[str], adapter: Sequence[str] | None) -> tuple[Path, Path | None]:
    """The folders of a row's files: of its model, and of its adapter if it has one."""
    return Path(model[0]).parent, Path(adapter[0]).parent if adapter else None


def in_int8(checkpoint: Path) -> bool:
    """Whether a checkpoint's Linears are in 8 bits, so that there is an engine to choose."""
    return "quantization_config" in files.read_json(checkpoint / "config.json")


def load(
    checkpoint: Path,
    adapter: Path | None,
    engine: str,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> torch.nn.Module:
    """The model of a row, ready to generate: an `opt.OPT`, or the libraries' for the engine int8.

    With an `adapter`, `checkpoint` is its base, in 8 bits or float. The dense engine dequantises it
    once and adds the adapter to it; the int8 engine leaves both to bitsandbytes and peft. A base in
    8 bits may be packed.
    """
    if engine == "int8" and (adapter is not None or in_int8(checkpoint)):
        return _by_libraries(checkpoint, adapter, device, dtype)
    state = quantisation.dequantise(packing.read(checkpoint / "model.safetensors"))
    if adapter is not None:
        state = quantisation.merged(state, adapter)
    return opt.model(opt.read_config(checkpoint), state, device, dtype)


def _by_libraries(
    checkpoint: Path, adapter: Path | None, device: torch.device, dtype: torch.dtype
) -> torch.nn.Module:
    """transformers' model of an int8 base, with peft's adapter beside it, if there is one.

    With the same values and other kernels: `quantisation.load_dense`.
    """
    model: torch.nn.Module = quantisation.load(checkpoint, device, dtype)
    if adapter is None:
        return model.eval()
    from peft import PeftModel  # seconds, for this engine alone

    model = PeftModel.from_pretrained(model, adapter)
    for name, parameter in model.named_parameters():
        if "lora_" in name:  # peft keeps float32, which would raise all that follows to it
            parameter.data = parameter.data.to(dtype)
    return model.eval()
