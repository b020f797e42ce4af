"""Bases in 8 bits: made, loaded, and made dense again with the same values.

Source: LLM.int8(), arXiv 2208.07339, as bitsandbytes has it.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import torch
from safetensors.torch import load_file

from sparsesum.models import packing

if TYPE_CHECKING:
    from transformers import OPTForCausalLM

INT8_MAX = 127


def load(
    folder: Path, device: torch.device, dtype: torch.dtype = torch.float32
) -> "OPTForCausalLM":
    """The model of a checkpoint folder with the decoder's Linears in int8.

    A float checkpoint is quantised; one that was saved in int8 is read as it is. All else is in
    `dtype`.
    """
    # Not at the top: who only dequantises does without.
    from transformers import BitsAndBytesConfig, OPTForCausalLM

    from sparsesum.models import checkpoints

    config = checkpoints.read_config(folder)
    saved_in_int8 = getattr(config, "quantization_config", None) is not None
    # project_in, project_out and the tied head stay in float: transformers leaves the head out by
    # itself, and the projections are no part of the decoder's layers.
    wanted = BitsAndBytesConfig(
        load_in_8bit=True, llm_int8_skip_modules=["lm_head", "project_in", "project_out"]
    )
    with packing.plain(folder) as place:
        model = OPTForCausalLM.from_pretrained(
            place,
            quantization_config=None if saved_in_int8 else wanted,
            dtype=dtype,
            device_map={"": device},
            local_files_only=True,
        )
    for parameter in model.parameters():
        # transformers leaves some of an int8 checkpoint in the dtype that they were saved in.
        if parameter.is_floating_point():
            parameter.data = parameter.data.to(dtype)
    return model


def load_dense(
    folder: Path, device: torch.device, dtype: torch.dtype, adapter: Path | None = None
) -> "OPTForCausalLM":
    """transformers' model of an int8 checkpoint's values, all of them in `dtype`, in eval mode.

    A folder's LoRA adapter, if there is one, is added to them in float32.
    """
    from transformers import OPTForCausalLM

    from sparsesum.models import checkpoints

    config = checkpoints.read_config(folder)
    del config.quantization_config
    state = dequantise(packing.read(folder / "model.safetensors"))
    if adapter is not None:
        state = merged(state, adapter)
    if config.tie_word_embeddings:
        state["lm_head.weight"] = state["model.decoder.embed_tokens.weight"]
    with torch.device("meta"):
        model = OPTForCausalLM(config)
    model.load_state_dict(state, strict=True, assign=True)
    model.tie_weights()
    return model.to(device, dtype).eval()  # type: ignore[arg-type]  # its hint lacks self


def dequantise(state: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """Float32 weights from a saved LLM.int8() state (arXiv 2208.07339, section 2.1).

    Each int8 matrix "X.weight" [out, in] has its rows' absolute maxima in "X.SCB" [out]: the value
    is weight * SCB / 127. Other tensors pass through; an int8 zero is a zero.
    """
    dense = {}
    for name, tensor in state.items():
        module, _, kind = name.rpartition(".")
        if kind in ("SCB", "weight_format"):
            continue
        if tensor.dtype == torch.int8:
            # In bitsandbytes' order of products, so that the values are the same to the bit.
            tensor = tensor.float() * state[f"{module}.SCB"].float()[:, None] * (1 / INT8_MAX)
        dense[name] = tensor
    return dense


def quantise(weight: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
    """A weight, [out, in], in LLM.int8(): codes, [out, in] int8, and its rows' maxima, [out].

    By bitsandbytes, as `load` has it: of float16, rounded to the nearest code. A zero is a zero.
    """
    from bitsandbytes.functional import int8_vectorwise_quant

    codes, maxima, _ = int8_vectorwise_quant(weight.to(torch.float16))
    return codes, maxima


def merged(state: Mapping[str, torch.Tensor], adapter: Path) -> dict[str, torch.Tensor]:
    """A dense state with a folder's LoRA adapter added: W + alpha / r * B A (arXiv 2106.09685).

    The state may be on any device, where the result's weights are too; those without an adapter are
    the state's own. The sum has no zeros where the base has them.
    """
    config = json.loads((adapter / "adapter_config.json").read_text(encoding="utf-8"))
    scale = config["lora_alpha"] / config["r"]
    factors = load_file(adapter / "adapter_model.safetensors")
    result = dict(state)
    for name, a in factors.items():
        if ".lora_A." not in name:
            continue
        module = name.removeprefix("base_model.model.").replace(".lora_A.weight", "")
        b = factors[name.replace(".lora_A.", ".lora_B.")]
        weight = result[f"{module}.weight"]
        # Multiplied on the CPU, wherever the base lies: the product is the same everywhere.
        result[f"{module}.weight"] = weight + scale * (b.float() @ a.float()).to(weight)
    return result
