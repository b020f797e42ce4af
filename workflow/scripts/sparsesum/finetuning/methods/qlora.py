"""QLoRA: low-rank adapters trained beside a base in 8 bits.

The base: LLM.int8(), arXiv 2208.07339, bitsandbytes. The paper calls this QLoRA, after Dettmers et
al., arXiv 2305.14314, whose base has 4 bits.
"""

from pathlib import Path

import torch
from peft import prepare_model_for_kbit_training

from sparsesum.finetuning import adapters
from sparsesum.finetuning.settings import Settings
from sparsesum.finetuning.training import Trainable
from sparsesum.machine import device as devices
from sparsesum.models import quantisation

OPTIONS = ("rank", "alpha", "dropout", "target_modules", "engine")


def load(checkpoint: Path, device: torch.device, settings: Settings) -> Trainable:
    """The model of a checkpoint with the decoder's Linears in int8."""
    return Trainable(quantisation.load(checkpoint, device))


def adapt(
    model: torch.nn.Module, base: Path, device: torch.device, settings: Settings
) -> Trainable:
    """An adapter beside the int8 base, which is multiplied as option `engine` says.

    int8: by bitsandbytes' kernels. dense: with the same values, in the dtype of the precision.
    """
    dtype = devices.dtype(settings.precision, device)
    dense = settings.options["engine"] == "dense"
    if dense:
        model = quantisation.load_dense(base, device, dtype).requires_grad_(False)
    else:  # frozen, with all but the int8 weights in float32; the Trainer checkpoints
        model = prepare_model_for_kbit_training(model, use_gradient_checkpointing=False)
    adapted = adapters.beside(model, settings.options)
    # float16 needs its loss scaled, which comes with autocast.
    autocast = not dense or dtype == torch.float16
    if not autocast:
        adapters.multiply_in_the_bases_dtype(adapted)
    # bitsandbytes looks for outliers at each product, so no step of its can be captured.
    return Trainable(adapted, autocast, captured=not autocast, adapters=adapters)
