"""A fine-tuned model by any of the `methods`: loaded, trained, checked, saved."""

import shutil
from pathlib import Path
from types import ModuleType
from typing import Any

import torch

from sparsesum.base import finite
from sparsesum.finetuning import training, watch
from sparsesum.finetuning.settings import Notes, Settings, Source
from sparsesum.models import checkpoints, linears, packing, tokenizer_files
from sparsesum.pruning import checks


def finetune(
    method: ModuleType,
    source: Source,
    device: torch.device,
    settings: Settings,
    output: Path,
    notes: Notes,
    place: Path | None = None,
) -> dict[str, Any]:
    """Fine-tune a checkpoint by a method into the folder `output`; returns the training's costs.

    Saved are the model with its tokenizer, in `output`, and the loss curve, curve.csv. With a
    method that adapts, `output`/base has the base and its tokenizer, and `output`/adapter the
    adapter, whose configuration calls its base by where `output` will lie: `place`, if not there.
    With one that merges as well, both are gone in the end: `output` has the merged model, packed
    (`models.packing`), with its tokenizer.

    Every zero that the checkpoint has in the decoder's Linears is a zero of the result, and of the
    base before and after the training, checked. An InputError if the training diverges.
    """
    torch.manual_seed(settings.seed)
    adapt = getattr(method, "adapt", None)
    folder = output / "base" if adapt else output
    before = checkpoints.state(source.checkpoint)
    pruned = {name: before[name] for name in linears.weights(before)}
    trainable = method.load(source.checkpoint, device, settings)
    if adapt:
        checks.check_kept(pruned, trainable.model.state_dict())
        checkpoints.save(trainable.model, folder)
        finite.check(checkpoints.state(folder), folder)
        tokenizer_files.add(source.tokenizer, folder)
        trainable = adapt(trainable.model, folder, device, settings)
    data = training.examples(source.tokens, settings.loss, settings.end_token, source.tokenizer)
    curve = output / "curve.csv"
    costs = training.train(trainable, data, source.tokenizer, device, settings, curve, notes)
    if adapters := trainable.adapters:
        _check(pruned, adapters.base_state(trainable.model))
        checks.check_kept(pruned, checkpoints.state(folder))
        adapters.save(trainable.model, output / "adapter", str((place or output) / "base"))
        if merge := getattr(method, "merge", None):
            merge(folder, output / "adapter", output)
            _check(pruned, packing.read(output / "model.safetensors"))
            tokenizer_files.add(source.tokenizer, output)
            shutil.rmtree(folder)
            shutil.rmtree(output / "adapter")
    else:
        model = trainable.model.cpu().eval()
        _check(pruned, model.state_dict())
        checkpoints.save(model, folder)
        tokenizer_files.add(source.tokenizer, folder)
    return costs


def _check(pruned: dict[str, torch.Tensor], after: dict[str, torch.Tensor]) -> None:
    """Make sure that a training filled no zero, and left no weight that is not finite."""
    checks.check_kept(pruned, after)
    finite.check(after, "after the training", watch.REMEDY)
