"""Devices and dtypes, on a machine that has no GPU and for one that has."""

import os
import platform
import resource
from types import SimpleNamespace

import pytest
import torch

from sparsesum.base.errors import InputError
from sparsesum.machine import device

CPU, GPU = torch.device("cpu"), torch.device("cuda")


@pytest.mark.parametrize(
    ("precision", "where", "expected"),
    [
        ("fp32", CPU, torch.float32),
        ("bf16", CPU, torch.bfloat16),
        ("auto", CPU, torch.float32),
        ("fp32", GPU, torch.float32),
        ("fp16", GPU, torch.float16),
        ("bf16", GPU, torch.bfloat16),
    ],
)
def test_the_dtype_of_a_precision(precision, where, expected):
    assert device.dtype(precision, where) == expected


@pytest.mark.parametrize(("has", "expected"), [(True, torch.bfloat16), (False, torch.float32)])
def test_auto_is_bf16_where_the_gpu_has_it(monkeypatch, has, expected):
    monkeypatch.setattr(torch.cuda, "is_bf16_supported", lambda including_emulation: has)
    assert device.dtype("auto", GPU) == expected


def test_fp16_on_a_cpu_is_refused():
    with pytest.raises(InputError, match="fp16 needs a GPU.*allowed.*fp32, bf16, auto"):
        device.dtype("fp16", CPU)


@pytest.fixture
def torch_as_it_was():
    """Put back what `prepare` sets in the whole process."""
    yield
    torch.use_deterministic_algorithms(False)
    torch.utils.deterministic.fill_uninitialized_memory = True
    torch.backends.cudnn.allow_tf32 = True
    torch.backends.cuda.matmul.allow_tf32 = False


@pytest.fixture(autouse=True)
def outside_of_slurm(monkeypatch):
    for name in (*device.GRANTED, "CUBLAS_WORKSPACE_CONFIG"):
        monkeypatch.setenv(name, "")


def test_a_gpu_that_is_not_there_is_said_at_once(monkeypatch, torch_as_it_was):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    threads = torch.get_num_threads()
    assert device.prepare("auto", threads) == CPU
    with pytest.raises(InputError, match="key device: cuda, and torch finds no GPU"):
        device.prepare("cuda", threads)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.prepare("auto", threads) == device.prepare("cuda", threads) == GPU


@pytest.mark.parametrize(
    ("name", "value"), [("SLURM_JOB_GPUS", "0"), ("SLURM_STEP_GPUS", "2,3"), ("SLURM_GPUS", "1")]
)
def test_auto_does_not_fall_back_to_a_cpu_where_slurm_granted_a_gpu(monkeypatch, name, value):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(platform, "node", lambda: "node7")
    monkeypatch.setenv(name, value)
    threads = torch.get_num_threads()
    with pytest.raises(InputError) as error:
        device.prepare("auto", threads)
    message = str(error.value)
    assert f"finds no GPU on node node7 although SLURM granted one ({name}={value})" in message
    assert "--exclude=node7" in message and "device: cpu" in message and "\n" not in message
    # Who asks for a CPU gets one, and "cuda" says what it always said.
    assert device.prepare("cpu", threads) == CPU
    with pytest.raises(InputError, match="key device: cuda, and torch finds no GPU here"):
        device.prepare("cuda", threads)


@pytest.mark.parametrize(
    ("asked", "there", "given", "left"),
    [
        ("cuda", 2, None, "0"), ("auto", 2, "3,1", "3"), ("auto", 1, "3", "3"),
        ("cuda", 1, None, None), ("cpu", 2, "3,1", "3,1"), ("auto", 0, "", ""),
    ],
)  # fmt: skip
def test_a_job_sees_one_gpu(monkeypatch, torch_as_it_was, asked, there, given, left):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "to be put back")
    if given is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", given)
    monkeypatch.setattr(torch.cuda, "device_count", lambda: there)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: there > 0)
    device.prepare(asked, torch.get_num_threads())
    assert os.environ.get("CUDA_VISIBLE_DEVICES") == left


@pytest.mark.parametrize("asked", ["auto", "cuda"])
def test_a_gpu_works_with_deterministic_algorithms(monkeypatch, torch_as_it_was, asked):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    torch.backends.cuda.matmul.allow_tf32 = torch.backends.cudnn.allow_tf32 = True
    torch.backends.cudnn.benchmark = True
    before = torch.cuda.is_initialized()  # by another test, where there is a GPU
    device.prepare(asked, torch.get_num_threads())
    assert os.environ["CUBLAS_WORKSPACE_CONFIG"] == ":4096:8"
    assert torch.cuda.is_initialized() == before  # cuBLAS has not read the environment yet
    assert torch.are_deterministic_algorithms_enabled()
    assert torch.is_deterministic_algorithms_warn_only_enabled()
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.get_float32_matmul_precision() == "highest"
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cudnn.benchmark
    device.prepare(asked, torch.get_num_threads(), deterministic=True)
    assert not torch.is_deterministic_algorithms_warn_only_enabled()


def test_a_cpu_is_left_as_it_is(monkeypatch, torch_as_it_was):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.prepare("cpu", torch.get_num_threads()) == CPU
    assert not torch.are_deterministic_algorithms_enabled()
    assert not os.environ["CUBLAS_WORKSPACE_CONFIG"]


@pytest.mark.parametrize(("system", "unit"), [("linux", 2**10), ("darwin", 1)])
def test_resident_memory_is_in_mib_on_each_system(monkeypatch, system, unit):
    """Linux counts it in KiB, macOS in bytes."""
    most = SimpleNamespace(ru_maxrss=300 * 2**20 // unit)
    monkeypatch.setattr(resource, "getrusage", lambda _: most)
    monkeypatch.setattr(device.sys, "platform", system)
    assert device.peak_memory_mb(CPU) == 300
