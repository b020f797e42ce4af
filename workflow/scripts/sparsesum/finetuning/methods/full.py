"""Full fine-tuning: every parameter of the model moves, but for the zeros of a pruned one."""

from pathlib import Path

import torch

from sparsesum.finetuning.settings import Settings
from sparsesum.finetuning.training import Trainable
from sparsesum.models import checkpoints, linears


def load(checkpoint: Path, device: torch.device, settings: Settings) -> Trainable:
    """The whole model of a checkpoint, with its pruned weights held at zero."""
    model = checkpoints.load(checkpoint).to(device)  # type: ignore[arg-type]  # its hint lacks self
    keep_zeros(model)
    return Trainable(model)


def keep_zeros(model: torch.nn.Module) -> None:
    """Hold the pruned weights of the decoder's Linears at zero while the model is trained.

    A weight that gets no gradient and no weight decay is not moved by AdamW. The model is where it
    is trained.
    """
    parameters = dict(model.named_parameters())
    for name in linears.weights(parameters):
        weight = parameters[name]
        if (kept := weight != 0).all():
            continue
        weight.register_hook(lambda gradient, kept=kept: gradient * kept.to(gradient.device))
