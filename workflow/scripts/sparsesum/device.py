"""Where torch works: the device and the number of CPU threads; what memory was needed."""

import platform
import resource
from pathlib import Path

import torch

from sparsesum.errors import InputError


def prepare(device: str, threads: int) -> torch.device:
    """Fix the thread count (float sums depend on it) and resolve "auto" to a device."""
    torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError(
            "key device: cuda, and torch finds no GPU here; allowed: cpu, auto, or cuda on a "
            "machine that has one"
        )
    return torch.device(device)


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
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(line.split(":", 1)[1].strip() for line in lines if line.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor() or platform.machine()
    return f"{cpu}, {torch.get_num_threads()} threads"


def peak_memory_mb(device: torch.device) -> float:
    """The most memory needed so far, in MiB: allocated on a GPU, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
