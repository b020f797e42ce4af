"""One tensor of a file at a time, read and replaced."""

from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from sparsesum.models.tensorfile import TensorFile

TENSORS = {
    "a": torch.arange(6.0).view(2, 3),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "codes": torch.tensor([[1, -2]], dtype=torch.int8),
}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    save_file(TENSORS, tmp_path / "x.safetensors", {"format": "pt"})
    return tmp_path / "x.safetensors"


def test_reads_as_safetensors_does(file):
    found = TensorFile(file)
    assert found.keys() == TENSORS.keys() and len(found) == 3
    for name, tensor in TENSORS.items():
        assert torch.equal(found[name], tensor) and found[name].dtype == tensor.dtype


@pytest.mark.parametrize("name", ["a", "half"])
def test_replaces_one_and_moves_nothing_else(file, name):
    before = file.read_bytes()
    written = TensorFile(file)
    new = TENSORS[name] * 2 - 1
    written[name] = new
    for other, tensor in TENSORS.items():
        assert torch.equal(load_file(file)[other], new if other == name else tensor)
    written[name] = TENSORS[name].t().contiguous().t()  # not contiguous
    assert file.read_bytes() == before


@pytest.mark.parametrize("wrong", [torch.zeros(3, 2), torch.zeros(2, 3, dtype=torch.float16)])
def test_another_shape_or_dtype_is_refused(file, wrong):
    before = file.read_bytes()
    with pytest.raises(ValueError, match=r"a is F32 of \[2, 3\], not F\d\d of "):
        TensorFile(file)["a"] = wrong
    assert file.read_bytes() == before


def test_a_tensor_taken_out_does_not_change_with_the_file(file):
    tensors = TensorFile(file)
    taken = tensors["a"]
    tensors["a"] = taken + 1
    assert torch.equal(taken, TENSORS["a"])
