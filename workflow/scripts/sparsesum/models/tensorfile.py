"""The tensors of a safetensors file, read and written one at a time: none stays in memory."""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

import torch
from safetensors import safe_open

DTYPES = {torch.float32: "F32", torch.float16: "F16", torch.bfloat16: "BF16"}


def dtypes(path: Path) -> dict[str, str]:
    """The dtype of each tensor in a safetensors file, as the format calls it: F32, I8, ..."""
    with safe_open(path, "pt") as tensors:
        return {name: tensors.get_slice(name).get_dtype() for name in tensors.keys()}  # noqa: SIM118


class TensorFile(Mapping):  # type: ignore[type-arg]  # named, its code would be another
    """A mapping of names to tensors, on the CPU, that reads at each look and writes in place.

    A tensor is replaced by one of the same shape and dtype, so nothing else in the file moves; a
    ValueError for another. Format: 8 bytes of length, a JSON header, the tensors' bytes.
    """

    def __init__(self, path: str | Path) -> None:
        self.path = Path(path)
        with self.path.open("rb") as file:
            length = int.from_bytes(file.read(8), "little")
            self._entries = json.loads(file.read(length))
        self._entries.pop("__metadata__", None)
        self._start = 8 + length

    def __getitem__(self, name: str) -> torch.Tensor:
        with safe_open(self.path, "pt") as tensors:
            # A copy: the tensor itself would keep the file mapped.
            return tensors.get_tensor(name).clone()

    def __setitem__(self, name: str, tensor: torch.Tensor) -> None:
        entry = self._entries[name]
        given = [DTYPES.get(tensor.dtype), list(tensor.shape)]
        if given != [entry["dtype"], entry["shape"]]:
            raise ValueError(
                f"{self.path}: {name} is {entry['dtype']} of {entry['shape']}, not {given[0]} of "
                f"{given[1]}"
            )
        with self.path.open("r+b") as file:
            file.seek(self._start + entry["data_offsets"][0])
            file.write(tensor.detach().cpu().contiguous().view(torch.uint8).numpy().data)

    def __iter__(self) -> Iterator[str]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)
