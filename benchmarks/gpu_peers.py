"""What benchmarks/gpu.py sets our figures beside: locuslab/wanda, and the paper's training."""

import contextlib
import io
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch

import torch


def wanda(
    clone: Path, source: Path, sequences: torch.Tensor, name: str, device: torch.device
) -> tuple[torch.nn.Module, Callable[[], None]]:
    """A model in the GPU's memory, and the reference code that prunes it in place, 2:4."""
    from transformers import OPTForCausalLM

    sys.path.insert(0, str(clone))
    from lib import prune_opt

    model = OPTForCausalLM.from_pretrained(source, dtype=torch.float32).to(device).eval()
    model.seqlen, model.hf_device_map = sequences.shape[1], {}
    prune_opt.get_loaders = lambda *_, **__: ([(row[None], None) for row in sequences], None)
    arguments = SimpleNamespace(
        nsamples=len(sequences), seed=0, sparsity_ratio=0.5, use_variant=False
    )
    function = getattr(prune_opt, f"prune_{name}")

    def prune() -> None:
        with contextlib.redirect_stdout(io.StringIO()):
            function(arguments, model, None, device, 2, 4)

    return model, prune


def masks_differ(folder: Path, model: torch.nn.Module) -> float:
    """The share of a checkpoint's weights that are zero here and not there, or the other way."""
    from safetensors.torch import load_file

    kept, state = load_file(folder / "model.safetensors"), model.state_dict()
    pairs = [(kept[k] == 0, state[k].cpu() == 0) for k in kept if k in state and kept[k].dim() == 2]
    return sum(int((a != b).sum()) for a, b in pairs) / sum(a.numel() for a, _ in pairs)


@contextlib.contextmanager
def as_published() -> Iterator[None]:
    """Within it, trainings pad to 2,048 tokens and compute all logits, as the authors' do."""
    from sparsesum.finetuning import training

    examples = training.examples
    with patch.multiple(
        training,
        examples=lambda *given: [_to_2048(example) for example in examples(*given)],
        _collator=lambda *_: training.Padded(1),
    ):
        yield


def _to_2048(example: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    """An example padded as the authors' notebook did."""
    more = (0, 2048 - len(example["labels"]))
    return {
        "input_ids": torch.nn.functional.pad(example["input_ids"], more, value=1),
        "labels": torch.nn.functional.pad(example["labels"], more, value=-100),
    }


def apart(one: list[float], other: list[float]) -> float:
    """The mean difference of two loss curves, without its sign."""
    return sum(abs(a - b) for a, b in zip(one, other, strict=True)) / len(one)
