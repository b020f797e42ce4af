"""What the tests of shrinking share: each kind, and a small model that is shrunk by one."""

import oracles
import torch
from transformers import OPTForCausalLM

from sparsesum.models import checkpoints
from sparsesum.shrinking import cut
from sparsesum.shrinking.cut import Given
from sparsesum.shrinking.kinds import layers, neurons, random_layers, random_neurons

SHAPES = ["pre", "post"]
DEAD = set(range(1, 32, 4))
"""The neurons of `oracles.make_model` that never fire."""
KINDS = {
    "neurons": (neurons, 0.5, {}),
    "random_neurons": (random_neurons, 0.5, {}),
    "layers by perplexity": (layers, 0.7, {}),
    "layers by cosine": (layers, 0.7, {"by": "cosine"}),
    "random_layers": (random_layers, 0.7, {}),
}


def shrink(kind, model, amount, folder, *, device="cpu", report=cut._silent, **options):
    """The folder of the shrunk form of a model in memory."""
    source, draft = folder / "dense", folder / "shrunk"
    checkpoints.save(model, source)
    draft.mkdir()
    given = Given(oracles.make_sequences(), device=device, report=report)
    kind.shrink(source, draft, amount, given, **options)
    assert sorted(path.name for path in draft.iterdir()) == ["config.json", "model.safetensors"]
    return draft


def stock(folder):
    """The model as transformers loads it, with nothing missing, left over or of another shape."""
    model, found = OPTForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    return model.eval()


@torch.no_grad()
def logits(model):
    return model(oracles.make_sequences(), use_cache=False).logits


def neurons_of(dense, shrunk, index):
    """Which neurons of a dense layer stay: their rows of fc1, to the bit."""
    rows = dense.model.decoder.layers[index].fc1.weight
    return [
        [torch.equal(row, other) for other in rows].index(True)
        for row in shrunk.model.decoder.layers[index].fc1.weight
    ]
