"""A checkpoint's decoder layers, one at a time in memory, and the inputs of the first."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import torch
from transformers.models.opt.modeling_opt import OPTDecoder, OPTDecoderLayer

from sparsesum import products
from sparsesum.checkpoints import read_config
from sparsesum.tensorfile import TensorFile

DECODER = "model.decoder"
LINEARS = [*(f"self_attn.{name}_proj" for name in ("q", "k", "v", "out")), "fc1", "fc2"]
"""A layer's Linears in the order they run."""


class Enough(Exception):
    """Ends a forward pass that has shown what was wanted."""


def linear_name(index: int, name: str) -> str:
    """The name of a layer's Linear in the whole model."""
    return f"{DECODER}.layers.{index}.{name}"


class Layers:
    """The decoder layers of a checkpoint folder, on a device, float32, in evaluation mode.

    They take turns in one module's memory. `exact`: attention and matrix products as the reference
    code of the pruners had them (eager attention, torch's Linear), not the fastest there are.
    """

    def __init__(self, folder: Path, device: torch.device, exact: bool) -> None:
        self.config = read_config(folder)
        self.config._attn_implementation = "eager" if exact else "sdpa"
        self.tensors = TensorFile(Path(folder) / "model.safetensors")
        self.device = device
        with torch.device("meta"):
            self.layer = OPTDecoderLayer(self.config, layer_idx=0)
            if not exact:
                for name in LINEARS:
                    old = self.layer.get_submodule(name)
                    new = products.Linear(old.in_features, old.out_features, old.bias is not None)
                    self.layer.set_submodule(name, new)
        self.layer.to_empty(device=device).eval().requires_grad_(False)

    def __len__(self) -> int:
        return self.config.num_hidden_layers

    def load(self, index: int) -> torch.nn.Module:
        """Layer `index`, until the next is loaded."""
        for name, parameter in self.layer.named_parameters():
            parameter.copy_(self.tensors[linear_name(index, name)])
        return self.layer

    def first_inputs(self, sequences: torch.Tensor) -> Iterator[torch.Tensor]:
        """What the model hands its first layer, [1, length, hidden] for each of the sequences.

        The model's own forward pass makes them, so that embeddings, positions and project_in are
        right; only these parts of it are read.
        """
        for inputs, _ in self._calls(sequences):
            yield inputs

    def arguments(self, length: int) -> dict[str, object]:
        """What the model hands each layer beside its inputs (mask, positions).

        The same for all sequences of a length and all layers, whatever the batch.
        """
        ids = torch.zeros(1, length, dtype=torch.int64)
        return next(self._calls(ids))[1]

    def _calls(self, sequences: torch.Tensor) -> Iterator[tuple[torch.Tensor, dict[str, object]]]:
        caught: list[tuple[torch.Tensor, dict[str, object]]] = []

        def catch(module: torch.nn.Module, args: tuple, kwargs: dict) -> None:
            caught.append((args[0], kwargs))
            raise Enough

        decoder = self._before_layers()
        decoder.layers[0].register_forward_pre_hook(catch, with_kwargs=True)
        for sequence in sequences:
            # Without a cache: one would grow with every layer's every pass.
            with suppress(Enough):
                decoder(sequence[None].to(self.device), use_cache=False)
            yield caught.pop()

    def _before_layers(self) -> OPTDecoder:
        """The decoder without its layers' weights."""
        config = read_config(self.tensors.path.parent)
        config._attn_implementation = self.config._attn_implementation
        config.num_hidden_layers = 1
        with torch.device("meta"):
            decoder = OPTDecoder(config)
        names = [name for name in decoder.state_dict() if not name.startswith("layers.")]
        state = {name: self.tensors[f"{DECODER}.{name}"].to(self.device) for name in names}
        decoder.load_state_dict(state, strict=False, assign=True)
        return decoder.eval().requires_grad_(False)
