"""A GPU that there is not: its tensors say "cuda", reckon on the CPU, and meet no CPU tensor.

Within `gpu()` what is sent to "cuda", or made there, or comes of what is there, is noted by its
memory, and says that it is on a GPU. Its values are real. Each function of torch that is handed
tensors of both devices raises, as on a GPU; so does a random generator of the other device.

What torch allows is allowed: a CPU tensor without dimensions joins those of the GPU; indices of
a tensor there may be on the CPU; `copy_`, `to` and `cpu` go from one to the other.

A CUDA graph is the list of the functions that were called, to be called again. While it is made
nothing may look at a value, and afterwards all memory is as it was: capturing computes nothing.

What autograd makes of itself, gradients, is not noted: test hooks by calling them.
"""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from types import SimpleNamespace
from unittest.mock import patch

import torch
from torch.multiprocessing.reductions import StorageWeakRef
from torch.overrides import TorchFunctionMode
from torch.utils._pytree import tree_leaves, tree_map_only

GPU = torch.device("cuda", 0)
Tensor = torch.Tensor
MOVES = (Tensor.to, Tensor.cpu, Tensor.cuda)
FREE = (Tensor.copy_, Tensor.data.__set__, torch._has_compatible_shallow_copy_type)
"""What takes tensors of two devices."""
ITEMS = (Tensor.__getitem__, Tensor.__setitem__)
LOOKS = (
    *(Tensor.item, Tensor.tolist, Tensor.nonzero, torch.nonzero, torch.equal),
    *(Tensor.__bool__, Tensor.__int__, Tensor.__float__, Tensor.__index__, Tensor.equal),
)
"""What waits for a value of the device, which no CUDA graph can."""

MEMORY: set[StorageWeakRef] = set()
"""The GPU's. A weak reference holds an address, so no other tensor gets it, and nothing else."""


def on_gpu(tensor: Tensor) -> bool:
    return StorageWeakRef(tensor.untyped_storage()) in MEMORY


def note(tensor: Tensor) -> Tensor:
    MEMORY.add(StorageWeakRef(tensor.untyped_storage()))
    return tensor


def tensors(values: object) -> list[Tensor]:
    return [leaf for leaf in tree_leaves(values) if isinstance(leaf, Tensor)]


class TwoDevices(TorchFunctionMode):
    """Looks at the arguments of each function of torch, and notes its results."""

    graph: "Graph | None" = None
    """The CUDA graph that is being made."""

    def __torch_function__(self, func, types, args=(), kwargs=None):
        kwargs = dict(kwargs or {})
        given = tensors((args, kwargs))
        there = any(map(on_gpu, given))
        if func == Tensor.device.__get__:
            return GPU if there else func(*args)
        if func == Tensor.is_cuda.__get__:
            return there
        if func in (Tensor.numpy, Tensor.__array__) and there:
            raise TypeError("can't convert cuda:0 device type tensor to numpy")
        target = kwargs.get("device")
        if func in MOVES:
            func, args, kwargs, target = _move(func, args, kwargs)
        elif func not in FREE:
            _check(func, args, given)
            _check_generator(func, kwargs, there)
        if target is not None:
            target = torch.device(target)
            kwargs["device"] = torch.device("cpu") if target.type == "cuda" else target
        if self.graph is not None:
            self.graph.keep(given)
        result = _noted(func(*args, **kwargs), given, there, target)
        if self.graph is not None:
            if there and (func in LOOKS or (target is not None and target.type == "cpu")):
                raise RuntimeError(f"{func.__name__}: not permitted when stream is capturing")
            self.graph.calls.append((func, args, kwargs, result))
        return result


def _noted(result: object, given: list[Tensor], there: bool, target: torch.device | None):
    """The result, noted where it is the GPU's: sent there, or of tensors there."""
    lent = {StorageWeakRef(tensor.untyped_storage()) for tensor in given}

    def each(made: Tensor) -> Tensor:
        shared = StorageWeakRef(made.untyped_storage()) in lent
        if target is None:
            return note(made) if there and not shared else made
        to_gpu = target.type == "cuda"
        if shared and on_gpu(made) != to_gpu:
            made = made.clone()
        return note(made) if to_gpu else made

    return tree_map_only(Tensor, each, result)


def _check(func: object, args: tuple, given: list[Tensor]) -> None:
    """A RuntimeError, in torch's words, where tensors of two devices may not meet."""
    if func in ITEMS and on_gpu(args[0]):
        # An index may be anywhere; and a value too, where none is a tensor: it is copied then.
        given = [args[0], *(tensors(args[2:]) if tensors(args[1]) else [])]
    found = {on_gpu(tensor) for tensor in given if on_gpu(tensor) or tensor.dim()}
    if len(found) > 1:
        raise RuntimeError(
            f"{func.__name__}: Expected all tensors to be on the same device, but found at least "
            "two devices, cuda:0 and cpu!"
        )


def _check_generator(func: object, kwargs: dict, there: bool) -> None:
    generator, device = kwargs.get("generator"), kwargs.get("device")
    wanted = there if device is None else torch.device(device).type == "cuda"
    if generator is not None and wanted != (generator.device.type == "cuda"):
        raise RuntimeError(f"{func.__name__}: Expected a generator of the tensor's device")


def _move(func: object, args: tuple, kwargs: dict) -> tuple:
    """`to`, `cpu` or `cuda` as a `to` without a device, and the device, if one was asked for."""
    tensor, *rest = args
    if func is not Tensor.to:
        return Tensor.to, (tensor,), {"dtype": tensor.dtype}, GPU if func is Tensor.cuda else "cpu"
    if rest and isinstance(rest[0], Tensor):
        target = GPU if on_gpu(rest[0]) else rest[0].device
        return Tensor.to, (tensor,), {**kwargs, "dtype": rest[0].dtype}, target
    copy = kwargs.pop("copy", False)
    device, dtype, _, layout = torch._C._nn._parse_to(*rest, **kwargs)
    options = {"memory_format": layout} if layout else {}
    return Tensor.to, (tensor,), {"dtype": dtype or tensor.dtype, "copy": copy, **options}, device


class Graph:
    """A CUDA graph: the calls of a captured step. Each replay writes to the same memory."""

    def __init__(self) -> None:
        self.calls: list[tuple] = []
        self.kept: dict[int, tuple[torch.UntypedStorage, torch.UntypedStorage]] = {}

    def keep(self, given: list[Tensor]) -> None:
        """What is in the memory of these tensors, if they are seen for the first time."""
        for storage in (tensor.untyped_storage() for tensor in given):
            if storage._cdata not in self.kept:
                self.kept[storage._cdata] = storage, storage.clone()

    def restore(self) -> None:
        for storage, content in self.kept.values():
            storage.copy_(content)
        self.kept.clear()

    def replay(self) -> None:
        with torch._C.DisableTorchFunction():
            for func, args, kwargs, result in self.calls:
                again = func(*args, **kwargs)
                for old, new in zip(tensors(result), tensors(again), strict=True):
                    if old.untyped_storage()._cdata != new.untyped_storage()._cdata:
                        old.copy_(new)


@contextmanager
def gpu() -> Iterator[torch.device]:
    """The device of the GPU that there is not, while it is there."""
    mode = TwoDevices()

    @contextmanager
    def capture(graph: Graph) -> Iterator[None]:
        mode.graph = graph
        try:
            yield
        finally:
            mode.graph = None
            graph.restore()

    def stream(*_) -> SimpleNamespace:
        return SimpleNamespace(wait_stream=lambda other: None)

    there = {
        "CUDAGraph": Graph,
        "graph": capture,
        "Stream": stream,
        "current_stream": stream,
        "stream": lambda other: nullcontext(),
        "synchronize": lambda device=None: None,
        "mem_get_info": lambda device=None: (2**30, 2**30),
        "max_memory_allocated": lambda device=None: 2**20,
        "get_device_name": lambda device=None: "a GPU",
    }
    with patch.multiple(torch.cuda, **there), mode:
        yield GPU


def random(*shape: int, seed: int = 0) -> torch.Tensor:
    """Normal values, the same each time."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))
