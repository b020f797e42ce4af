"""LoRA adapters (Hu et al., arXiv 2106.09685), by peft: put beside a base, and saved."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from peft import LoraConfig, PeftModel, get_peft_model
from peft.tuners.lora import LoraLayer


def beside(model: torch.nn.Module, options: Mapping[str, Any]) -> PeftModel:
    """The model with an adapter beside each Linear that `target_modules` names.

    options: rank, alpha, dropout, target_modules.
    """
    config = LoraConfig(
        task_type="CAUSAL_LM",
        r=options["rank"],
        lora_alpha=options["alpha"],
        lora_dropout=options["dropout"],
        bias="none",
        target_modules=list(options["target_modules"]),
    )
    return get_peft_model(model, config)


class CastLinear(torch.nn.Linear):
    """A Linear whose float32 weight is multiplied in its input's dtype."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        """inputs weight^T, [..., in] to [..., out], in the dtype of `inputs`."""
        return torch.nn.functional.linear(inputs, self.weight.to(inputs.dtype))


def multiply_in_the_bases_dtype(adapted: PeftModel) -> None:
    """Have adapters, which stay float32, take their inputs as the base has them.

    peft raises the inputs to float32 instead, which is another pass or two over each of them.
    """
    for module in adapted.modules():
        if isinstance(module, LoraLayer):
            module.cast_input_dtype_enabled = False
            for factors in (module.lora_A, module.lora_B):
                factors["default"].__class__ = CastLinear


def base_state(adapted: PeftModel) -> dict[str, torch.Tensor]:
    """All tensors of an adapted model, those of its base by the names that they have without it."""
    return {
        name.replace(".base_layer", "").removeprefix("base_model.model."): tensor
        for name, tensor in adapted.state_dict().items()
    }


def save(adapted: PeftModel, folder: Path, base: str) -> None:
    """Save the adapter alone; its configuration says that it belongs to the model at `base`."""
    config = adapted.peft_config["default"]  # type: Any
    # peft keeps them as a set, whose order, and so the file, would differ from run to run.
    config.target_modules = sorted(config.target_modules)
    # Not the checkpoint that was quantised, whose weights the adapter has never seen.
    config.base_model_name_or_path = base
    # It would look in the base, which may not lie there yet, whether its vocabulary was changed.
    adapted.save_pretrained(folder, save_embedding_layers=False)  # type: ignore[arg-type]  # a Path does
