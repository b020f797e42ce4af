"""A checkpoint's decoder layers, one at a time in memory, and the inputs of the first."""

from collections.abc import Iterator
from pathlib import Path

import torch

from sparsesum.models import opt
from sparsesum.models.linears import DECODER, full_name
from sparsesum.models.tensorfile import TensorFile
from sparsesum.pruning import products


class Layers:
    """The decoder layers of a checkpoint folder, on a device, float32, in evaluation mode.

    They take turns in one module's memory. `exact`: attention and matrix products as the reference
    code of the pruners had them (eager attention, torch's Linear), not the fastest there are.
    """

    def __init__(self, folder: Path, device: torch.device, exact: bool) -> None:
        self.config = opt.read_config(folder)
        self.tensors = TensorFile(Path(folder) / "model.safetensors")
        self.device = device
        linear = torch.nn.Linear if exact else products.Linear
        with torch.device("meta"):
            self.layer = opt.Layer(self.config, linear, eager=exact)
        self.layer.to_empty(device=device).eval().requires_grad_(False)

    def __len__(self) -> int:
        return self.config["num_hidden_layers"]

    def load(self, index: int) -> torch.nn.Module:
        """Layer `index`, until the next is loaded."""
        for name, parameter in self.layer.named_parameters():
            parameter.copy_(self.tensors[full_name(index, name)])
        return self.layer

    def first_inputs(self, sequences: torch.Tensor) -> Iterator[torch.Tensor]:
        """What the model hands its first layer, [1, length, hidden] for each of the sequences."""
        with torch.device("meta"):
            decoder = opt.Decoder(self.config | {"num_hidden_layers": 0})
        state = {
            name: self.tensors[f"{DECODER}.{name}"].to(self.device) for name in decoder.state_dict()
        }
        decoder.load_state_dict(state, assign=True)
        decoder.requires_grad_(False)
        for sequence in sequences:
            yield decoder.embed(sequence[None].to(self.device))
