"""QLoRA: low-rank adapters trained beside a base in 8 bits.

Adapters: Hu et al., LoRA, arXiv 2106.09685. The base: LLM.int8(), arXiv 2208.07339, bitsandbytes.
The paper calls this QLoRA, after Dettmers et al., arXiv 2305.14314, whose base has 4 bits.
"""

import math
from pathlib import Path

import torch
from peft import LoraConfig, PeftModel, get_peft_model, prepare_model_for_kbit_training
from peft.tuners.lora import LoraLayer

from sparsesum import (
    checkpoints,
    finite,
    quantisation,
    sparsity,
    tokenizer_files,
    training,
    watch,
)
from sparsesum import device as devices


class CastLinear(torch.nn.Linear):
    """A Linear whose float32 weight is multiplied in its input's dtype."""

    def forward(self, inputs: torch.Tensor) -> torch.Tensor:
        return torch.nn.functional.linear(inputs, self.weight.to(inputs.dtype))


def _multiply_in_the_bases_dtype(adapted: PeftModel) -> None:
    """Have adapters, which stay float32, take their inputs as the base has them.

    peft raises the inputs to float32 instead, which is another pass or two over each of them.
    """
    for module in adapted.modules():
        if isinstance(module, LoraLayer):
            module.cast_input_dtype_enabled = False
            for factors in (module.lora_A, module.lora_B):
                factors["default"].__class__ = CastLinear


def finetune(
    checkpoint: Path,
    tokens: Path,
    tokenizer_file: Path,
    device: torch.device,
    settings: dict,
    base: Path,
    adapter: Path,
    curve: Path,
    notes: Path,
    save_every: float = math.inf,
    base_name: str | None = None,
) -> dict:
    """Train an adapter on the int8 base of `checkpoint`; returns the training's costs.

    Saves the base to the folder `base` (int8 weights, their row scales, and the tokenizer) and the
    adapter to the folder `adapter`, whose configuration calls its base `base_name`: where it will
    lie, if not in `base`. `settings`: those of `training.train`; rank, alpha, dropout and
    target_modules of the adapter; engine: whether the base is multiplied as int8, by bitsandbytes'
    kernels, or dense, with the same values, in the dtype of the precision. Every zero of the
    checkpoint's decoder Linears is a zero of the base, before and after the training, checked.
    `notes` is the folder of a broken off run, which is gone on from (`training.train`). An
    InputError if the training diverges.
    """
    torch.manual_seed(settings["seed"])
    dtype = devices.dtype(settings["precision"], device)
    model = quantisation.load(checkpoint, device)
    before = checkpoints.state(checkpoint)
    pruned = {name: before[name] for name in sparsity.decoder_linears(before)}
    sparsity.check_kept(pruned, model.state_dict())
    checkpoints.save(model, base)
    finite.check(checkpoints.state(base), base)
    tokenizer_files.add(tokenizer_file, base)
    if settings["engine"] == "dense":
        model = quantisation.load_dense(base, device, dtype).requires_grad_(False)
    else:  # frozen, with all but the int8 weights in float32; the Trainer checkpoints
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    adapted = get_peft_model(
        model,
        LoraConfig(
            task_type="CAUSAL_LM",
            r=settings["rank"],
            lora_alpha=settings["alpha"],
            lora_dropout=settings["dropout"],
            bias="none",
            target_modules=list(settings["target_modules"]),
        ),
    )
    # float16 needs its loss scaled, which comes with autocast.
    autocast = settings["engine"] == "int8" or dtype == torch.float16
    if not autocast:
        _multiply_in_the_bases_dtype(adapted)
    data = training.examples(tokens, settings["loss"], settings["end_token"], tokenizer_file)
    costs = training.train(
        adapted,
        data,
        tokenizer_file,
        device,
        settings,
        curve,
        notes,
        save_every,
        autocast=autocast,
        captured=not autocast,  # bitsandbytes looks for outliers at each product
    )
    trained = {
        name.replace(".base_layer", "").removeprefix("base_model.model."): tensor
        for name, tensor in adapted.state_dict().items()
    }
    sparsity.check_kept(pruned, trained)
    finite.check(trained, "after the training", watch.REMEDY)
    sparsity.check_kept(pruned, checkpoints.state(base))
    # peft keeps them as a set, whose order, and so the file, would differ from run to run.
    adapted.peft_config["default"].target_modules = sorted(settings["target_modules"])
    # Not the checkpoint that was quantised, whose weights the adapter has never seen.
    adapted.peft_config["default"].base_model_name_or_path = str(base_name or base)
    # It would look in the base, which may not lie there yet, whether its vocabulary was changed.
    adapted.save_pretrained(adapter, save_embedding_layers=False)
    return costs
