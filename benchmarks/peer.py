"""Prune a model with llm-compressor: run by benchmarks/prune.py, in an environment of its own.

    python peer.py MODEL CALIBRATION METHOD PATTERN THREADS OUTPUT

MODEL: a folder; CALIBRATION: a safetensors file with input_ids; METHOD: wanda or sparsegpt;
PATTERN: "50" or "2of4". Writes the pruned weights into the folder OUTPUT and prints seconds and
peak memory as JSON on its last line. The seconds are those of `oneshot` alone, on a model in
memory: neither loading nor saving.
"""

import json
import sys
import time
from pathlib import Path

import torch
from datasets import Dataset
from llmcompressor import oneshot
from llmcompressor.modifiers.pruning.sparsegpt import SparseGPTModifier
from llmcompressor.modifiers.pruning.wanda import WandaPruningModifier
from safetensors.torch import load_file, save_file
from transformers import OPTForCausalLM

MODIFIERS = {"wanda": WandaPruningModifier, "sparsegpt": SparseGPTModifier}


def peak_mb() -> float:
    """The most memory this process had resident; getrusage would count its parent's, too."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 2**10


def main(folder: str, calibration: str, method: str, pattern: str, threads: str, out: str) -> None:
    torch.set_num_threads(int(threads))
    ids = load_file(calibration)["input_ids"]
    model = OPTForCausalLM.from_pretrained(
        folder, dtype=torch.float32, attn_implementation="eager", local_files_only=True
    )
    dataset = Dataset.from_dict(
        {"input_ids": ids.tolist(), "attention_mask": torch.ones_like(ids).tolist()}
    )
    recipe = MODIFIERS[method](
        sparsity=0.5,
        mask_structure=pattern.replace("of", ":") if "of" in pattern else "0:0",
        targets=["Linear"],
        ignore=["re:.*lm_head.*", "re:.*project_in.*", "re:.*project_out.*"],
    )
    start = time.perf_counter()
    oneshot(
        model=model,
        dataset=dataset,
        recipe=recipe,
        pipeline="sequential",
        shuffle_calibration_samples=False,
        batch_size=1,
        num_calibration_samples=len(ids),
        max_seq_length=ids.shape[1],
    )
    seconds = time.perf_counter() - start
    peak = peak_mb()
    state = {name: tensor.contiguous() for name, tensor in model.state_dict().items()}
    state.pop("lm_head.weight")  # tied to the embedding
    Path(out).mkdir(parents=True, exist_ok=True)
    save_file(state, Path(out) / "model.safetensors")
    print(json.dumps({"seconds": seconds, "peak_mb": peak}))


if __name__ == "__main__":
    main(*sys.argv[1:])
