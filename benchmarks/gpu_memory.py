"""What `auto` makes of a smaller card than this machine's: run by benchmarks/gpu.py."""

from unittest.mock import patch

import torch
from gpu_stand_ins import BILL, MODELS, PROMPT, SUMMARY, shape

from sparsesum.machine import memory


def of_card(gib: int, config: dict, device: torch.device) -> str:
    """Sequences at a time of each training and generation on a card of so many GiB, in words."""
    share = memory.SHARE * gib * 2**30 / torch.cuda.get_device_properties(device).total_memory
    lines = []
    with patch.object(memory, "SHARE", share):
        for model in MODELS:
            # Of the weights QLoRA's adapters are about a hundredth.
            for kind, trained in (("full", 1.0), ("qlora", 0.01)):
                size, checkpointing = _training(shape(model), trained, config[kind], device)
                lines.append(f"{kind} {model}: {size} at a time{', checkpointed' * checkpointing}")
            size = 4 if config["generate"]["dtype"] == "fp32" else 2
            count = memory.of_generation(device, shape(model), PROMPT + 128, size, True, 100)
            lines.append(f"generate {model}: {count} at a time")
    return "; ".join(lines)


def _training(
    config: dict, trained: float, settings: dict, device: torch.device
) -> tuple[int, bool]:
    """Sequences at a time, and whether only with checkpointing; trained: a share of the weights."""
    weights = config["num_hidden_layers"] * 12 * config["hidden_size"] ** 2
    labelled = 1.0 if settings["loss"] == "sequence" else SUMMARY / BILL
    given = config, 1200, int(trained * weights), labelled, settings["precision"] != "fp32"
    size = memory.of_training(device, *given, settings["effective_batch"], False)
    if size:
        return size, False
    return memory.of_training(device, *given, settings["effective_batch"], True), True
