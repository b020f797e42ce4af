"""The walk through a model's decoder layers: calibrate one, prune it, feed the next from it.

One layer is in memory at a time. Its weights come from the dense checkpoint and go into a copy of
it. The layers' inputs lie where there is room: on the device, in the host's memory or on the disk;
every so often they are saved, so that a walk that was killed resumes there.

Source: the reference code of SparseGPT (arXiv 2301.00774) and Wanda (arXiv 2306.11695).
"""

import logging
import math
import shutil
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from contextlib import contextmanager, suppress
from inspect import Parameter, signature
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy
import torch

from sparsesum.base import finite
from sparsesum.base.errors import InputError
from sparsesum.base.files import sync
from sparsesum.experiment.patterns import Pattern
from sparsesum.jobs.stopwatch import Stopwatch
from sparsesum.machine import host_memory
from sparsesum.models.linears import LINEARS, full_name
from sparsesum.models.tensorfile import TensorFile
from sparsesum.pruning.layers import Layers
from sparsesum.pruning.masks import grouped

log = logging.getLogger("sparsesum")

READERS = {
    "self_attn.q_proj": ("self_attn.q_proj", "self_attn.k_proj", "self_attn.v_proj"),
    "self_attn.out_proj": ("self_attn.out_proj",),
    "fc1": ("fc1",),
    "fc2": ("fc2",),
}
"""A layer's Linears in the order they run: those that read the same inputs share one statistic."""

TOKENS = {"cpu": 2048, "cuda": 16384}
"""Tokens in one matrix product, unless `exact`: larger products were no faster."""

ROOM = 0.25
"""The share of the memory that is free which the layers' inputs may take."""

Accumulate = Callable[[torch.Tensor | None, torch.Tensor, int, bool], torch.Tensor]


class Enough(Exception):
    """Ends a forward pass that has shown what was wanted."""


def _silent(done: int, text: str) -> None:
    pass


@torch.no_grad()
def prune(
    source: Path,
    draft: Path,
    sequences: torch.Tensor | None,
    pruner: ModuleType,
    pattern: Pattern,
    options: dict[str, Any],
    exact: bool = False,
    device: torch.device | str = "cpu",
    report: Callable[[int, str], None] = _silent,
    save_every: float = 0.0,
) -> dict[str, float]:
    """Prune all Linears of a checkpoint's decoder layers; nothing else of it changes.

    Layer by layer: the six Linears' statistics come from one pass through the dense layer, so fc2
    sees the unpruned fc1; then all six are pruned; then the pruned layer makes the inputs of the
    next.

    source: a folder with config.json and a float32 model.safetensors. draft: the folder for the
    pruned one; what a killed walk left there is resumed from, so it must be of the same arguments.
    sequences: [count, length] token ids, int64, without padding; not used by a pruner without
    `accumulate`. pruner: a module of `sparsesum.pruning.pruners`; options: its options. exact: the
    reference code's float operations in its order, one sequence at a time; otherwise several in
    one product, and whatever is fastest. report: called after each layer with the number of layers
    done and a few words. save_every: seconds after which the next finished layer is one that a
    killed walk resumes from; it changes no byte.

    Returns the seconds of each stage. An InputError, which names the Linear, for a pattern that
    does not fit it, and for inputs or pruned weights that are not finite; and one for an option
    that the pruner has not.
    """
    clock = Stopwatch()
    _check_options(pruner, options)
    layers = Layers(source, torch.device(device), exact)
    _check_groups(layers, pattern)  # tell at once, not after the first layer's calibration
    accumulate = getattr(pruner, "accumulate", None)
    prepare = getattr(pruner, "prepare", None)
    if accumulate:
        check_sequences(sequences, layers.config["max_position_embeddings"])
    # The pruned weights first: the next layer's inputs say that they are there.
    inputs = Inputs(
        draft / "inputs", exact, save_every, before=lambda: sync(draft / "model.safetensors")
    )
    with clock("read and write"):
        if inputs.layer is None:
            draft.mkdir(exist_ok=True)
            for name in ("config.json", "model.safetensors"):
                shutil.copyfile(source / name, draft / name)
        else:
            log.info("resuming from layer %d of %d", inputs.layer, len(layers))
        target = TensorFile(draft / "model.safetensors")

    def sparsify(index: int, layer: torch.nn.Module, states: dict[str, torch.Tensor]) -> None:
        zeros = total = 0
        for first, names in READERS.items():
            state = states.pop(first, None)
            with _naming(full_name(index, first)), clock("prepare"):
                if prepare:
                    state = prepare(state, exact, **options)
            for name in names:
                weight = layer.get_submodule(name).weight  # type: Any
                with _naming(full_name(index, name)), clock("sparsify"):
                    weight.copy_(pruner.sparsify(weight, state, pattern, **options))
                    if not finite.is_finite(weight):
                        raise InputError("a weight is NaN or infinite: is the model sound?")
                with clock("read and write"):
                    target[full_name(index, f"{name}.weight")] = weight
                zeros += weight.numel() - int(weight.count_nonzero())
                total += weight.numel()
        report(index + 1, f"{zeros / total:.1%} of layer {index} is zero")

    if accumulate:
        walk(layers, inputs, sequences, accumulate, sparsify, exact, clock)  # type: ignore[arg-type]  # checked
    else:
        for index in range(len(layers)):
            with clock("read and write"):
                layer = layers.load(index)
            sparsify(index, layer, {})
    inputs.remove()
    return clock.seconds


def walk(
    layers: Layers,
    inputs: "Inputs",
    sequences: torch.Tensor,
    accumulate: Accumulate,
    replace: Callable[[int, torch.nn.Module, dict[str, torch.Tensor]], None],
    exact: bool,
    clock: Stopwatch,
    watched: Collection[str] = tuple(READERS),
) -> None:
    """Gather a statistic of each layer's inputs, have its weights replaced, feed the next from it.

    `replace` gets the layer's index, the layer, whose weights it may change, and the states of the
    `watched` Linears, by name, which it may take. By default they are the first of each group of
    `READERS`.
    """
    inputs.place((*sequences.shape, layers.config["hidden_size"]), layers.device)
    if inputs.layer is None:
        with clock("first pass"):
            inputs.write(0, layers.first_inputs(sequences))
    for index in range(inputs.layer, len(layers)):
        with clock("read and write"):
            layer = layers.load(index)
        with clock("first pass"):
            states = _statistics(layer, inputs.read(), accumulate, exact, clock, watched)
        for name, state in states.items():
            # What is not finite, or overflowed, does not leave the sum so.
            if not state.sum().isfinite():
                raise InputError(
                    f"{full_name(index, name)}: its inputs are NaN, infinite or too large to be "
                    "squared; is the model sound?"
                )
        replace(index, layer, states)
        if index + 1 < len(layers):
            with clock("second pass"):
                inputs.write(index + 1, map(layer, inputs.read()))


class Inputs:
    """The inputs of one layer on the calibration set, float32, in order.

    layer: whose inputs there are, complete, or None. They lie in memory, where those of the next
    layer take their place batch by batch, or in a file, where memory is short. If `every` seconds
    have passed they are saved to the folder, under the name that a later walk resumes from;
    `before` is called first.
    """

    def __init__(
        self,
        folder: Path,
        exact: bool,
        every: float = 0.0,
        before: Callable[[], None] = lambda: None,
    ) -> None:
        self.folder, self.exact, self.every, self.before = folder, exact, every, before
        complete = sorted(int(path.stem) for path in folder.glob("*.f32"))
        self.layer = complete[-1] if complete else None  # type: int | Any
        self.file = None if self.layer is None else folder / f"{self.layer}.f32"  # type: Path | Any
        self.saved = time.monotonic()

    def place(self, shape: tuple[int, int, int], device: torch.device) -> None:
        """Make room for [sequences, length, hidden]; what was saved is read.

        They lie on `device`, where the layers run, or else in the host's memory, or in the file.
        """
        self.shape, self.device = shape, device
        self.size = 1 if self.exact else max(1, TOKENS[device.type] // shape[1])
        needed = 4 * math.prod(shape)
        self.values: torch.Tensor | Any = None
        if device.type == "cuda" and needed < ROOM * torch.cuda.mem_get_info(device)[0]:
            self.values = torch.empty(shape, device=device)
        elif needed < ROOM * host_memory.available():
            self.values = torch.empty(shape)
        if self.values is not None and self.file is not None:
            self._fill(self._from_file())

    def read(self) -> Iterator[torch.Tensor]:
        """Batches of [sequences, length, hidden], on the device that the layers run on."""
        batches = self._from_file() if self.values is None else self.values.split(self.size)
        return (batch.to(self.device) for batch in batches)

    def write(self, layer: int, batches: Iterable[torch.Tensor]) -> None:
        """Put the inputs of `layer` in the place of what there is, of which they may be made."""
        made_of, self.layer = self.file, layer
        if self.values is not None:
            self._fill(batches)
        else:
            self.file = self._to_file(batches)
            if made_of is not None and made_of.suffix == ".part":
                made_of.unlink()
        if time.monotonic() - self.saved >= self.every:
            self._save()

    def remove(self) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def _fill(self, batches: Iterable[torch.Tensor]) -> None:
        start = 0
        for batch in batches:
            self.values[start : start + len(batch)] = batch
            start += len(batch)

    def _from_file(self) -> Iterator[torch.Tensor]:
        count, length, width = self.shape
        with self.file.open("rb") as file:
            for start in range(0, count, self.size):
                some = min(self.size, count - start)
                values = numpy.fromfile(file, numpy.float32, some * length * width)
                yield torch.from_numpy(values).view(some, length, width)

    def _to_file(self, batches: Iterable[torch.Tensor]) -> Path:
        self.folder.mkdir(exist_ok=True)
        part = self.folder / f"{self.layer}.part"
        with part.open("wb") as file:
            for batch in batches:
                file.write(batch.cpu().contiguous().numpy().data)
        return part

    def _save(self) -> None:
        """Have a walk resume from here. What it resumes from is on the disk before it says so."""
        self.before()
        part = self.file if self.values is None else self._to_file(self.values.split(self.size))
        sync(part)
        self.file = part.replace(part.with_suffix(".f32"))
        for older in self.folder.glob("*.f32"):
            if older != self.file:
                older.unlink()
        self.saved = time.monotonic()


def check_sequences(sequences: torch.Tensor | None, positions: int) -> None:
    """An InputError for a calibration set that is empty or longer than the model's positions."""
    if sequences is None or not sequences.numel():
        raise InputError("the calibration set is empty, and some text is needed")
    if sequences.shape[1] > positions:
        raise InputError(
            f"calibration.length = {sequences.shape[1]} exceeds the model's {positions} positions; "
            "lower it"
        )


def _check_options(pruner: ModuleType, options: dict[str, Any]) -> None:
    """An InputError that names the first option that the pruner does not have."""
    functions = [getattr(pruner, name, None) for name in ("sparsify", "prepare")]
    allowed = {
        name
        for function in functions
        if function
        for name, parameter in signature(function).parameters.items()
        if parameter.default is not Parameter.empty
    }
    for name in options.keys() - allowed:
        pruners_name = pruner.__name__.rpartition(".")[2]
        raise InputError(
            f"key pruners.{pruners_name}: unknown option '{name}'; "
            f"allowed: {', '.join(sorted(allowed)) or 'none'}"
        )


def _check_groups(layers: Layers, pattern: Pattern) -> None:
    """An InputError that names the first Linear whose inputs M does not divide."""
    if pattern.m:
        for name in LINEARS:
            with _naming(full_name(0, name)):
                grouped(layers.layer.get_submodule(name).weight, pattern.m)  # type: ignore[arg-type]  # a Linear's


@contextmanager
def _naming(name: str) -> Iterator[None]:
    """Put the name of the Linear before an InputError's message."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{name}: {error}") from None


def _statistics(
    layer: torch.nn.Module,
    batches: Iterable[torch.Tensor],
    accumulate: Accumulate,
    exact: bool,
    clock: Stopwatch,
    watched: Collection[str],
) -> dict[str, torch.Tensor]:
    """The state of each watched Linear, by its name, after one pass."""
    states: dict[str, torch.Tensor] = {}
    seen = sequences = 0

    def watch(name: str) -> Callable[..., Any]:
        def observe(module: torch.nn.Module, args: tuple[Any, ...]) -> None:
            with clock("statistics"):
                inputs = args[0].reshape(sequences, -1, args[0].shape[-1]).float()
                states[name] = accumulate(states.get(name), inputs, seen, exact)
            if name == "fc2":  # its own output is of no use: the layer is about to change
                raise Enough

        return observe

    handles = [layer.get_submodule(name).register_forward_pre_hook(watch(name)) for name in watched]
    try:
        for batch in batches:
            sequences = len(batch)
            with suppress(Enough):
                layer(batch)
            seen += sequences
    finally:
        for handle in handles:
            handle.remove()
    return states
