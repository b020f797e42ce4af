"""Full fine-tuning: every parameter of the model moves, but for the zeros of a pruned one."""

import math
from pathlib import Path

import torch

from sparsesum import checkpoints, finite, sparsity, tokenizer_files, training, watch


def keep_zeros(model: torch.nn.Module) -> None:
    """Hold the pruned weights of the decoder's Linears at zero while the model is trained.

    A weight that gets no gradient and no weight decay is not moved by AdamW. The model is where it
    is trained.
    """
    parameters = dict(model.named_parameters())
    for name in sparsity.decoder_linears(parameters):
        weight = parameters[name]
        if (kept := weight != 0).all():
            continue
        weight.register_hook(lambda gradient, kept=kept: gradient * kept.to(gradient.device))


def finetune(
    checkpoint: Path,
    tokens: Path,
    tokenizer_file: Path,
    device: torch.device,
    settings: dict,
    folder: Path,
    curve: Path,
    notes: Path,
    save_every: float = math.inf,
) -> dict:
    """Fine-tune the model of `checkpoint` and save it to `folder`; returns the training's costs.

    The tokenizer is saved beside it. The zeros that the checkpoint has in the decoder's Linears are
    there in the result, checked. `notes` is the folder of a broken off run, which is gone on from
    (`training.train`). An InputError if the training diverges.
    """
    torch.manual_seed(settings["seed"])
    model = checkpoints.load(checkpoint)
    before = {name: tensor.clone() for name, tensor in model.state_dict().items()}
    keep_zeros(model.to(device))
    data = training.examples(tokens, settings["loss"], settings["end_token"], tokenizer_file)
    costs = training.train(
        model.train(), data, tokenizer_file, device, settings, curve, notes, save_every
    )
    model = model.cpu().eval()
    names = sparsity.decoder_linears(before)
    after = model.state_dict()
    pruned = {name: before[name] for name in names if not before[name].all()}
    sparsity.check_kept(pruned, after)
    finite.check(after, "after the training", watch.REMEDY)
    checkpoints.save(model, folder)
    tokenizer_files.add(tokenizer_file, folder)
    return costs
