"""Devices and dtypes, on a machine that has no GPU and for one that has."""

import pytest
import torch

from sparsesum import device
from sparsesum.errors import InputError

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


def test_a_gpu_that_is_not_there_is_said_at_once(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    threads = torch.get_num_threads()
    assert device.prepare("auto", threads) == CPU
    with pytest.raises(InputError, match="key device: cuda, and torch finds no GPU"):
        device.prepare("cuda", threads)
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert device.prepare("auto", threads) == device.prepare("cuda", threads) == GPU
