"""Every stage on a GPU, with bitsandbytes' true kernels: `make test-gpu`. Never skipped."""

import os

# cuBLAS reads it once, when it is first used in a process.
os.environ["CUBLAS_WORKSPACE_CONFIG"] = ":4096:8"

import pytest
import torch

from sparsesum.machine import device


def pytest_sessionstart() -> None:
    if not torch.cuda.is_available():
        pytest.exit("tests/gpu needs a GPU; torch finds none", returncode=1)


@pytest.fixture(autouse=True)
def gpu() -> torch.device:
    """The GPU, as a job prepares it."""
    return device.prepare("cuda", 2)
