"""Where torch works: the device and the number of CPU threads; what memory was needed."""

import os
import platform
import resource
import sys
from pathlib import Path

import torch

from sparsesum.base.errors import InputError
from sparsesum.jobs import lean

GRANTED = ("SLURM_JOB_GPUS", "SLURM_STEP_GPUS", "SLURM_GPUS")
"""What SLURM sets in a job or a step that it granted a GPU; the last where --gpus asked for it."""


def prepare(device: str, threads: int, deterministic: bool = False) -> torch.device:
    """Fix the thread count (float sums depend on it) and resolve "auto" to a device.

    On a GPU, deterministic algorithms are switched on where there are such; `deterministic`: the
    backward pass of fused attention has one as well, and what has none is an error. Of several GPUs
    a job sees the first. An InputError where the device is "cuda", or "auto" in a job that SLURM
    granted a GPU, and torch finds none: on a CPU such a job would take days.
    """
    lean.loaded()
    torch.set_num_threads(threads)
    if device != "cpu":
        _one_gpu()
    if device != "cpu" and torch.cuda.is_available():
        _repeatable(deterministic)
        return torch.device("cuda")
    if device == "cuda":
        raise InputError(
            "key device: cuda, and torch finds no GPU here; allowed: cpu, auto, or cuda on a "
            "machine that has one"
        )
    granted = next((name for name in GRANTED if os.environ.get(name)), None)
    if device == "auto" and granted:
        node = platform.node()
        raise InputError(
            f"key device: auto, and torch finds no GPU on node {node} although SLURM granted one "
            f"({granted}={os.environ[granted]}); look at `nvidia-smi` and `python -c 'import torch;"
            f" print(torch.version.cuda)'` there, leave the node out (slurm_extra: '--exclude="
            f"{node}'), or set device: cpu"
        )
    return torch.device("cpu")


def _one_gpu() -> None:
    """Hide all GPUs but the first that the job may use, before CUDA is started."""
    if torch.cuda.device_count() > 1:
        given = os.environ.get("CUDA_VISIBLE_DEVICES") or "0"
        os.environ["CUDA_VISIBLE_DEVICES"] = given.partition(",")[0]


def _repeatable(strict: bool) -> None:
    """Deterministic algorithms where CUDA has them; where it has none, an error if `strict`.

    Without an error PyTorch leaves the backward pass of fused attention to atomic additions.
    """
    # cuBLAS reads it once, when it is first used in a process.
    os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"
    torch.use_deterministic_algorithms(True, warn_only=not strict)
    # It only finds reads of memory that nothing was written to, and costs a pass through memory.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]  # a property
    # An algorithm chosen by timing differs from run to run; TF32 rounds float32 to 10 bits.
    torch.backends.cudnn.benchmark = False
    torch.backends.cuda.matmul.allow_tf32 = False
    torch.backends.cudnn.allow_tf32 = False


DTYPES = {"fp32": torch.float32, "fp16": torch.float16, "bf16": torch.bfloat16}


def dtype(precision: str, device: torch.device) -> torch.dtype:
    """The dtype of a precision: fp32, fp16, bf16, or auto, bf16 on a GPU that has it.

    An InputError for fp16 on a CPU, whose kernels are no faster and lack some operations.
    """
    if precision == "auto":
        on_gpu = device.type == "cuda" and torch.cuda.is_bf16_supported(including_emulation=False)
        return torch.bfloat16 if on_gpu else torch.float32
    if precision == "fp16" and device.type == "cpu":
        raise InputError(
            "precision fp16 needs a GPU, and the device is cpu; in the config, allowed for full, "
            "qlora and generate on a CPU: fp32, bf16, auto"
        )
    return DTYPES[precision]


def name(device: torch.device) -> str:
    """The device as a table shows it: the GPU's name, or the CPU's with the number of threads."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor() or platform.machine()
    return f"{cpu}, {torch.get_num_threads()} threads"


def peak_memory_mb(device: torch.device) -> float:
    """The most memory needed so far, in MiB: allocated on a GPU, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    # KiB on Linux, bytes on macOS.
    unit = 1 if sys.platform == "darwin" else 2**10
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20
