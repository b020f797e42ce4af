"""Where torch works: the device and the number of CPU threads; what memory was needed."""

import resource

import torch


def prepare(device: str, threads: int) -> torch.device:
    """Fix the thread count (float sums depend on it) and resolve "auto" to a device."""
    torch.set_num_threads(threads)
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    return torch.device(device)


def name(device: torch.device) -> str:
    """The device as a table shows it: "cpu x2" (threads) or the GPU's name."""
    if device.type == "cuda":
        return torch.cuda.get_device_name(device)
    return f"{device.type} x{torch.get_num_threads()}"


def peak_memory_mb(device: torch.device) -> float:
    """The most memory needed so far, in MiB: allocated on a GPU, or resident in this process."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**10
