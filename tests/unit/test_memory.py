"""Pruning needs memory for a layer, not for the model."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.models import checkpoints

MEASURED = """
import sys
from pathlib import Path
import torch
from sparsesum.models import tensorfile
from sparsesum.pruning import checks
from sparsesum.pruning import layerwise
from sparsesum.experiment.patterns import parse
from sparsesum.pruning.pruners import magnitude, sparsegpt, wanda

torch.set_num_threads(1)
folder, pruner = Path(sys.argv[1]), globals()[sys.argv[2]]
layerwise.prune(folder, folder / "draft", torch.full((2, 16), 7), pruner, parse("2:4"), {})
pruned = tensorfile.TensorFile(folder / "draft" / "model.safetensors")
checks.check(pruned, parse("2:4"))
checks.check_untouched(tensorfile.TensorFile(folder / "model.safetensors"), pruned)
print(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0])
"""
PROC = Path("/proc/self/status")


def peak_mb(folder: Path, pruner: str) -> float:
    """The most memory that was resident in a process that prunes and checks what it wrote."""
    command = [sys.executable, "-c", MEASURED, str(folder), pruner]
    done = subprocess.run(command, env=os.environ, capture_output=True, text=True, check=True)
    return int(done.stdout) / 2**10


@pytest.mark.long("prunes models of 260 MB in processes of their own")
@pytest.mark.skipif(not PROC.is_file(), reason="no /proc here to read a process's memory from")
@pytest.mark.parametrize("pruner", ["magnitude", "wanda", "sparsegpt"])
def test_twenty_more_layers_need_no_more_memory(tmp_path: Path, pruner):
    peaks = []
    for layers in (2, 22):
        folder = tmp_path / str(layers)
        config = OPTConfig(
            vocab_size=50,
            hidden_size=512,
            ffn_dim=2048,
            num_hidden_layers=layers,
            num_attention_heads=4,
            max_position_embeddings=32,
            word_embed_proj_dim=512,
        )
        with torch.no_grad():
            checkpoints.save(OPTForCausalLM(config), folder)
        peaks.append(peak_mb(folder, pruner))
    assert (tmp_path / "22" / "model.safetensors").stat().st_size > 260 * 2**20
    assert peaks[1] < peaks[0] + 50, peaks
