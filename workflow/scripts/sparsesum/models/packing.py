"""Pruned 8-bit weights without their zeros: the layout of a safetensors file, packed and unpacked.

An int8 matrix X.weight [out, in] lies in such a file in the smallest of three layouts:

  plain     X.weight          int8   [out, in]
  2:4       X.weight_2of4     int8   [out, in / 2]   of each 4 inputs the two that may be nonzero
            X.weight_places   uint8  [out, in / 8]   where in their 4 these are: 2 bits each
  bit mask  X.weight_nonzero  int8   [count]         row by row
            X.weight_mask     uint8  [out, in / 8]   a bit an input, 1 for nonzero; rounded up
            X.weight_inputs   int32  []              in

In a byte the first input has the lowest bits; bits behind the last input are 0. Of two layouts that
are as small as each other it is the one above; 2:4 wants a multiple of 8 inputs. All other tensors
lie there as they are. The file's metadata say so: LAYOUT under KEY.

Source of 2:4, values and 2-bit indices: "Accelerating Sparse Deep Neural Networks", arXiv
2104.08378, section 3. transformers reads no such file: `plain` unpacks one for it.
"""

import re
import shutil
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy
from safetensors import safe_open

from sparsesum.base.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor

KEY, LAYOUT = "packing", "sparsesum, version 1"

PART = re.compile(r"(.+\.weight)_(2of4|places|nonzero|mask|inputs)")
PAIRS = numpy.array([0, 2, 4, 6], numpy.uint8)
"""The bits of a byte at which its places begin."""


def pack(state: Mapping[str, "Tensor"]) -> dict[str, "Tensor"]:
    """A state with each int8 matrix X.weight in its smallest layout; the tensors are on the CPU."""
    import torch  # not at the top: who only counts does without

    packed: dict[str, Tensor] = {}
    for name, tensor in state.items():
        if tensor.dtype == torch.int8 and tensor.dim() == 2 and name.endswith(".weight"):
            parts = min(_layouts(name, tensor.numpy()), key=_bytes)
            packed |= {part: torch.from_numpy(array) for part, array in parts.items()}
        else:
            packed[name] = tensor
    return packed


def unpack(state: Mapping[str, "Tensor"], source: object = "packed weights") -> dict[str, "Tensor"]:
    """The state that `pack` packed, bit for bit; one that is not packed is given as it is.

    `source` says what the tensors are of. An InputError that names the first weight whose parts do
    not fit each other.
    """
    import torch

    whole: dict[str, Tensor] = {}
    parts: dict[str, dict[str, numpy.ndarray]] = {}
    for name, tensor in state.items():
        if part := PART.fullmatch(name):
            parts.setdefault(part[1], {})[part[2]] = tensor.numpy()
        else:
            whole[name] = tensor
    for name, given in parts.items():
        try:
            if name in whole:
                raise ValueError("it is there twice, packed and plain")
            whole[name] = torch.from_numpy(_codes(given))
        except ValueError as error:
            raise InputError(f"{source}: {name}: {error}; make the file again") from None
    return whole


def write(state: Mapping[str, "Tensor"], path: Path) -> None:
    """Write a state to a safetensors file, packed."""
    from safetensors.torch import save_file

    # One key alone: safetensors writes several in an order that differs from run to run.
    save_file(pack(state), path, {KEY: LAYOUT})


def read(path: Path) -> dict[str, "Tensor"]:
    """The tensors of a safetensors file, unpacked if they are packed.

    An InputError where the file's layout is another version's, or its parts do not fit each other.
    """
    from safetensors.torch import load_file

    with safe_open(path, "pt") as tensors:
        said = (tensors.metadata() or {}).get(KEY)
        packed = any(map(PART.fullmatch, tensors.keys()))
    if said != LAYOUT and (packed or said is not None):
        raise InputError(
            f"{path}: its metadata's {KEY} is {said!r}; allowed is {LAYOUT!r}: make the file again"
        )
    return unpack(load_file(path), path)


@contextmanager
def plain(folder: Path) -> Iterator[Path]:
    """A checkpoint's folder as transformers loads it: itself, or of a packed one a copy, for now.

    The copy has config.json and model.safetensors.
    """
    from safetensors.torch import save_file

    file = folder / "model.safetensors"
    if not file.is_file() or not _is_packed(file):
        yield folder
        return
    with TemporaryDirectory() as place:
        shutil.copyfile(folder / "config.json", Path(place) / "config.json")
        save_file(read(file), Path(place) / file.name, {"format": "pt"})
        yield Path(place)


def _is_packed(file: Path) -> bool:
    with safe_open(file, "pt") as tensors:
        return KEY in (tensors.metadata() or {})


class Held(NamedTuple):
    """A tensor of a file that holds values.

    key: its name there; name: of the tensor whose values they are; weights: how many that one has,
    with the zeros that the file does without.
    """

    key: str
    name: str
    weights: int


def held(tensors: Any) -> Iterator[Held]:
    """What an open safetensors file holds, packed or not, from shapes alone."""
    for key in tensors.keys():  # noqa: SIM118 - safe_open is no dict
        part = PART.fullmatch(key)
        name, kind = part.groups() if part else (key, "")
        if kind == "nonzero":
            rows = tensors.get_slice(f"{name}_mask").get_shape()[0]
            yield Held(key, name, rows * int(tensors.get_tensor(f"{name}_inputs")))
        elif kind in ("", "2of4"):
            stored = numpy.prod(tensors.get_slice(key).get_shape(), dtype=int)
            yield Held(key, name, int(stored) * (2 if kind else 1))


def _bytes(parts: dict[str, numpy.ndarray]) -> int:
    return sum(array.nbytes for array in parts.values())


def _layouts(name: str, codes: numpy.ndarray) -> Iterator[dict[str, numpy.ndarray]]:
    """A matrix in each layout that can hold it: its parts, by name."""
    yield {name: codes}
    rows, inputs = codes.shape
    if inputs % 8 == 0:
        groups = codes.reshape(rows, inputs // 4, 4)
        zero = groups == 0
        if (zero.sum(-1) >= 2).all():
            # A group that has more zeros than two keeps the first of them.
            places = numpy.sort(zero.argsort(-1, kind="stable")[..., :2])
            bits = places.reshape(rows, inputs // 8, 4).astype(numpy.uint8) << PAIRS
            yield {
                f"{name}_2of4": numpy.take_along_axis(groups, places, -1).reshape(
                    rows, inputs // 2
                ),
                f"{name}_places": numpy.bitwise_or.reduce(bits, -1),
            }
    yield {
        f"{name}_nonzero": codes[codes != 0],
        f"{name}_mask": numpy.packbits(codes != 0, axis=1, bitorder="little"),
        f"{name}_inputs": numpy.array(inputs, numpy.int32),
    }


def _codes(parts: dict[str, numpy.ndarray]) -> numpy.ndarray:
    """A matrix, [out, in] int8, of the parts of its layout; a ValueError where they do not fit."""
    dtypes = {name: str(array.dtype) for name, array in parts.items()}
    if dtypes == {"2of4": "int8", "places": "uint8"}:
        return _of_two_of_four(parts["2of4"], parts["places"])
    if dtypes == {"nonzero": "int8", "mask": "uint8", "inputs": "int32"}:
        return _of_mask(parts["nonzero"], parts["mask"], parts["inputs"])
    found = ", ".join(f"{name} {dtype}" for name, dtype in sorted(dtypes.items()))
    raise ValueError(f"parts of no layout ({found})")


def _of_two_of_four(values: numpy.ndarray, bits: numpy.ndarray) -> numpy.ndarray:
    if bits.ndim != 2 or values.shape != (bits.shape[0], 4 * bits.shape[1]):
        raise ValueError(f"values {values.shape} with places {bits.shape}, four a byte")
    places = (bits[..., None] >> PAIRS & 3).reshape(len(bits), -1, 2).astype(numpy.intp)
    if (places[..., 0] >= places[..., 1]).any():
        raise ValueError("two values of a group in one place, or in another order")
    groups = numpy.zeros((*places.shape[:2], 4), numpy.int8)
    numpy.put_along_axis(groups, places, values.reshape(places.shape), -1)
    return groups.reshape(len(bits), -1)


def _of_mask(values: numpy.ndarray, mask: numpy.ndarray, inputs: numpy.ndarray) -> numpy.ndarray:
    if mask.ndim != 2 or inputs.ndim or mask.shape[1] != -(-int(inputs) // 8):
        raise ValueError(f"a mask {mask.shape} for {inputs} inputs, eight a byte")
    kept = numpy.unpackbits(mask, axis=1, bitorder="little").astype(bool)
    if kept[:, int(inputs) :].any():
        raise ValueError("its mask has values behind the last input")
    kept = kept[:, : int(inputs)]
    if values.shape != (kept.sum(),):
        raise ValueError(f"values {values.shape} with a mask of {kept.sum()}")
    codes = numpy.zeros(kept.shape, numpy.int8)
    codes[kept] = values
    return codes
