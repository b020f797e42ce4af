"""Where torch works: the device and the number of CPU threads; what memory was needed."""

import platform
import resource
from pathlib import Path

import torch


def prepare(device: str, threads: int) -> torch.device:
    """Fix the thread count (float sums depend on it) and resolve "auto" to a device."""
    torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


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
