"""Packed 8-bit weights: nothing is lost, all is counted, and what does not fit is refused."""

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from sparsesum.base.errors import InputError
from sparsesum.models import packing, sizes
from sparsesum.pruning import sparsity

NAME = "model.decoder.layers.0.fc1.weight"
KINDS = ["dense", "zero", "50%", "90%", "1:4", "2:4", "4:8"]


def matrix(kind: str, rows: int, inputs: int, seed: int) -> torch.Tensor:
    """Random codes, [rows, inputs] int8, zero as a pattern's name says; whole groups alone are."""
    draw = numpy.random.default_rng(seed)
    codes = draw.choice([*range(-128, 0), *range(1, 128)], (rows, inputs)).astype(numpy.int8)
    if kind == "zero":
        codes[:] = 0
    elif kind.endswith("%"):
        codes[draw.random(codes.shape) < float(kind[:-1]) / 100] = 0
    elif kind != "dense":
        n, m = map(int, kind.split(":"))
        groups = codes[:, : inputs // m * m].reshape(rows, inputs // m, m)
        lost = draw.random(groups.shape).argsort(-1)[..., n:]
        numpy.put_along_axis(groups, lost, 0, -1)
        codes[:, : inputs // m * m] = groups.reshape(rows, inputs // m * m)
    return torch.from_numpy(codes)


MATRICES = st.builds(
    matrix, st.sampled_from(KINDS), st.integers(0, 6), st.integers(0, 41), st.integers(0, 99)
)


def state(codes: torch.Tensor) -> dict[str, torch.Tensor]:
    """An int8 matrix among what else an int8 checkpoint has."""
    return {
        NAME: codes,
        NAME.replace("weight", "SCB"): torch.arange(len(codes), dtype=torch.float32),
        NAME.replace("weight", "weight_format"): torch.tensor(0, dtype=torch.uint8),
        NAME.replace("weight", "bias"): torch.zeros(len(codes)),
        "model.decoder.embed_tokens.weight": torch.tensor([[0.0, -0.0, 1.5]]),
    }


def same(one: dict[str, torch.Tensor], other: dict[str, torch.Tensor]) -> bool:
    """Whether two states are the same, in names, dtypes, shapes and bits."""
    return one.keys() == other.keys() and all(
        (one[name].dtype, one[name].shape) == (other[name].dtype, other[name].shape)
        and one[name].numpy().tobytes() == other[name].numpy().tobytes()
        for name in one
    )


def stored(packed: dict[str, torch.Tensor]) -> int:
    """The bytes of the matrix's parts."""
    parts = (name for name in packed if name == NAME or packing.PART.fullmatch(name))
    return sum(packed[name].nbytes for name in parts)


@settings(max_examples=300, deadline=None)
@given(MATRICES)
def test_what_was_packed_is_unpacked_bit_for_bit_and_never_larger(codes):
    packed = packing.pack(state(codes))
    assert same(packing.unpack(packed), state(codes))
    rows, inputs = codes.shape
    sizes = [codes.numel(), int(codes.count_nonzero()) + rows * -(-inputs // 8) + 4]
    if inputs % 8 == 0 and (codes.view(rows, inputs // 4, 4) == 0).sum(-1).ge(2).all():
        sizes.append(codes.numel() * 5 // 8)
    assert stored(packed) == min(sizes)


@settings(max_examples=50, deadline=None)
@given(MATRICES)
def test_a_packed_file_has_the_counts_of_the_plain_one(tmp_path_factory, codes):
    folder = tmp_path_factory.mktemp("files")
    plain, packed = folder / "plain.safetensors", folder / "packed.safetensors"
    save_file(state(codes), plain, {"format": "pt"})
    packing.write(state(codes), packed)
    assert same(packing.read(packed), state(codes)) and same(packing.read(plain), state(codes))
    assert sizes.parameters([packed]) == sizes.parameters([plain]) == codes.numel() + len(codes) + 3
    nonzero = int(codes.count_nonzero()) + 1
    assert sizes.nonzero_parameters([packed]) == sizes.nonzero_parameters([plain]) == nonzero
    assert list(sparsity.count(packed)) == list(sparsity.count(plain))
    again = folder / "again.safetensors"
    packing.write(dict(reversed(state(codes).items())), again)
    assert packed.read_bytes() == again.read_bytes()


def test_the_layouts_are_those_that_the_docstring_says(tmp_path):
    """By hand, so that a file of today is read by tomorrow's code."""
    two = torch.tensor([[0, 5, 0, -6, 7, 8, 0, 0], [0, 0, 0, 9, 1, 0, 0, 2]], dtype=torch.int8)
    packed = packing.pack({NAME: two})
    assert {name.removeprefix(NAME): tensor.tolist() for name, tensor in packed.items()} == {
        "_2of4": [[5, -6, 7, 8], [0, 9, 1, 2]],
        # 1 and 3, 0 and 1; the first zero's place and 3, 0 and 3.
        "_places": [[1 | 3 << 2 | 0 << 4 | 1 << 6], [0 | 3 << 2 | 0 << 4 | 3 << 6]],
    }
    free = torch.zeros(2, 9, dtype=torch.int8)
    free[0, 0], free[0, 8], free[1, 3] = -1, 4, 3
    packed = packing.pack({NAME: free})
    assert {name.removeprefix(NAME): tensor.tolist() for name, tensor in packed.items()} == {
        "_nonzero": [-1, 4, 3],
        "_mask": [[1, 1], [8, 0]],
        "_inputs": 9,
    }
    packing.write({NAME: two}, tmp_path / "x.safetensors")
    with safe_open(tmp_path / "x.safetensors", "pt") as tensors:
        assert tensors.metadata() == {"packing": "sparsesum, version 1"}


def test_only_int8_matrices_are_packed():
    others = {
        "x.weight": torch.zeros(8, 8),
        "y.weight": torch.zeros(64, dtype=torch.int8),
        "z.codes": torch.zeros(8, 8, dtype=torch.int8),
    }
    assert same(packing.pack(others), others)


def cut(name: str, *place: slice):
    def change(parts: dict[str, torch.Tensor]) -> None:
        parts[f"{NAME}_{name}"] = parts[f"{NAME}_{name}"][place].contiguous()

    return change


def put(name: str, tensor: torch.Tensor):
    return lambda parts: parts.update({NAME + name: tensor})


FIRST, ROWS = slice(0, 1), slice(None)


@pytest.mark.parametrize(
    ("kind", "change", "said"),
    [
        ("2:4", cut("2of4", FIRST), r"values \(1, 8\) with places \(4, 2\), four a byte"),
        ("2:4", cut("places", ROWS, FIRST), r"values \(4, 8\) with places \(4, 1\)"),
        ("2:4", put("_places", torch.zeros(4, 2, dtype=torch.uint8)), "in one place"),
        ("2:4", put("_places", torch.full((4, 2), 0b00010001, dtype=torch.uint8)), "another order"),
        ("2:4", lambda parts: parts.pop(f"{NAME}_places"), r"parts of no layout \(2of4 int8\)"),
        ("2:4", put("_2of4", torch.zeros(4, 8)), r"no layout \(2of4 float32, places uint8\)"),
        ("2:4", put("", torch.zeros(4, 16, dtype=torch.int8)), "there twice, packed and plain"),
        ("90%", cut("nonzero", FIRST), r"values \(1,\) with a mask of \d+"),
        ("90%", cut("mask", ROWS, FIRST), r"a mask \(4, 1\) for 16 inputs, eight a byte"),
        ("90%", put("_inputs", torch.tensor(17, dtype=torch.int32)), "for 17 inputs"),
        ("90%", put("_inputs", torch.tensor(-16, dtype=torch.int32)), "for -16 inputs"),
        ("90%", put("_inputs", torch.tensor([16, 16], dtype=torch.int32)), "for .16 16. inputs"),
        ("90%", put("_mask", torch.full((4, 2), 255, dtype=torch.uint8)), "with a mask of 64"),
        ("90%", lambda parts: parts.pop(f"{NAME}_nonzero"), "inputs int32, mask uint8"),
    ],
)
def test_parts_that_do_not_fit_are_refused_in_one_line(tmp_path, kind, change, said):
    parts = packing.pack(state(matrix(kind, 4, 16, 1)))
    assert NAME not in parts
    change(parts)
    file = tmp_path / "x.safetensors"
    save_file(parts, file, {"packing": packing.LAYOUT})
    with pytest.raises(InputError, match=said) as caught:
        packing.read(file)
    text = str(caught.value)
    assert text.startswith(f"{file}: {NAME}: ") and text.endswith("; make the file again")


def test_a_mask_with_values_behind_the_last_input_is_refused():
    parts = packing.pack({NAME: matrix("90%", 4, 13, 1)})
    parts[f"{NAME}_mask"][0, 1] |= 1 << 5
    with pytest.raises(InputError, match="values behind the last input"):
        packing.unpack(parts)


@pytest.mark.parametrize("said", [None, "sparsesum, version 2"])
@pytest.mark.parametrize("kind", ["2:4", "dense"])
def test_another_versions_file_is_refused(tmp_path, kind, said):
    file = tmp_path / "x.safetensors"
    parts = packing.pack({NAME: matrix(kind, 4, 16, 1)})
    save_file(parts, file, {"packing": said} if said else {"format": "pt"})
    if kind == "dense" and said is None:  # a plain file
        assert same(packing.read(file), parts)
        return
    with pytest.raises(InputError, match=f"packing is {said!r}; allowed is 'sparsesum, version 1'"):
        packing.read(file)


def test_a_packed_file_is_as_large_as_the_arithmetic_says(tmp_path):
    """Five eighths of a byte a weight for 2:4, and 4 bytes more at most for a mask."""
    for kind, share in (("2:4", 0.625), ("4:8", 0.625), ("dense", 1.0), ("zero", 0.125)):
        codes = matrix(kind, 512, 768, 3)
        packing.write({NAME: codes}, tmp_path / "x.safetensors")
        found = sum(part.nbytes for part in load_file(tmp_path / "x.safetensors").values())
        assert found - share * codes.numel() in (0, 4), kind
