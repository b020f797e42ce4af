"""What the tests hold the pruners against, written from the papers' definitions, without haste.

`*64`: numpy in float64, loops where loops are clearer, inverses where the code under test uses a
Cholesky factor; a whole OPT model, too. `*32`: the same definitions in float32, in the order of
operations that the reference code has, so that results must agree to the last bit.
"""

import math

import numpy as np
import torch
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.experiment.patterns import Pattern, parse
from sparsesum.models import opt

PATTERNS = [parse(text) for text in ("50%", "30%", "2:4", "4:8", "1:4")]
NAMES = [*(f"self_attn.{x}_proj" for x in ("q", "k", "v", "out")), "fc1", "fc2"]
PREFIX = "model.decoder.layers"
BLOCK = 8
"""SparseGPT's block in the tests: small, so that small models have several."""


def problem(rows=24, columns=32, sequences=5, tokens=20, seed=0):
    """A weight, [rows, columns], and inputs, [tokens, columns] each, every fourth of them dead."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator)
    scale = torch.rand(columns, generator=generator) * 3
    inputs = [torch.randn(tokens, columns, generator=generator) * scale for _ in range(sequences)]
    for x in inputs:
        x[:, 1::4] = 0
    return weight, inputs


def gather(accumulate, inputs, exact=True):
    """A pruner's state after inputs, [tokens, columns] each, one sequence after the other."""
    state = None
    for seen, x in enumerate(inputs):
        state = accumulate(state, x[None], seen, exact)
    return state


def make_model(shape: str, layers: int = 3, seed: int = 0) -> OPTForCausalLM:
    """A small OPT of the shape of opt-125m ("pre") or opt-350m ("post"), with dead inputs.

    In every layer, each fourth hidden unit of the feed-forward part never fires (the others do now
    and then), and feature 3 of what follows a norm is always 0. Other weights are random.
    """
    config = OPTConfig(
        vocab_size=50,
        hidden_size=16,
        ffn_dim=32,
        num_hidden_layers=layers,
        num_attention_heads=4,
        max_position_embeddings=32,
        do_layer_norm_before=shape == "pre",
        word_embed_proj_dim=16 if shape == "pre" else 8,
    )
    assert config.dropout > 0  # so that forgetting eval mode shows
    torch.manual_seed(seed)
    model = OPTForCausalLM(config)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.copy_(torch.randn_like(parameter) * 0.3)
        for layer in model.model.decoder.layers:
            layer.fc1.bias.abs_().add_(4)
            layer.fc1.bias[1::4] = -100
            for norm in (layer.self_attn_layer_norm, layer.final_layer_norm):
                norm.weight.add_(1)
                norm.weight[3] = norm.bias[3] = 0
    return model.eval()


def ours(model: OPTForCausalLM) -> opt.OPT:
    """The same model as this project runs it."""
    config = opt.DEFAULTS | model.config.to_dict()
    return opt.model(config, model.state_dict(), torch.device("cpu"), torch.float32)


def make_sequences(count: int = 8, length: int = 24, seed: int = 1) -> torch.Tensor:
    """Token ids for `make_model`'s models: [count, length]."""
    return torch.randint(4, 50, (count, length), generator=torch.Generator().manual_seed(seed))


# ---- masks, one number at a time


def smallest(scores: list[float], count: int) -> list[int]:
    """The places of the `count` smallest scores; among equals the leftmost."""
    return sorted(range(len(scores)), key=lambda place: scores[place])[:count]


def groups64(scores: np.ndarray, pattern: Pattern) -> np.ndarray:
    """The mask of N:M for scores, [rows, columns], that have no ties."""
    mask = np.zeros(scores.shape, bool)
    for row in range(scores.shape[0]):
        for start in range(0, scores.shape[1], pattern.m):
            for place in smallest(list(scores[row, start : start + pattern.m]), pattern.pruned):
                mask[row, start + place] = True
    return mask


def groups32(scores: torch.Tensor, pattern: Pattern) -> torch.Tensor:
    """The mask of N:M, ties as `topk` breaks them: one group of one row at a time."""
    mask = torch.zeros(scores.shape, dtype=torch.bool)
    for row in range(scores.shape[0]):
        for start in range(0, scores.shape[1], pattern.m):
            group = scores[row, start : start + pattern.m].clone()
            mask[row, start + group.topk(pattern.pruned, largest=False)[1]] = True
    return mask


def up_to_threshold(scores: list[list[float]], ratio: float) -> list[list[bool]]:
    """One threshold for all scores: the sorted score at int(count * ratio), itself included."""
    ordered = sorted(score for row in scores for score in row)
    threshold = ordered[int(len(ordered) * ratio)]
    return [[score <= threshold for score in row] for row in scores]


# ---- the pruners, given all of a Linear's inputs: one array of [tokens, in] a sequence


def magnitude64(weight: np.ndarray, inputs: list[np.ndarray], pattern: Pattern) -> np.ndarray:
    scores = np.abs(weight)
    if pattern.m:
        return np.where(groups64(scores, pattern), 0, weight)
    return np.where(up_to_threshold(scores.tolist(), pattern.ratio), 0, weight)


def magnitude32(weight: torch.Tensor, inputs: list[torch.Tensor], pattern: Pattern) -> torch.Tensor:
    scores = weight.abs()
    if pattern.m:
        mask = groups32(scores, pattern)
    else:
        mask = torch.tensor(up_to_threshold(scores.tolist(), pattern.ratio))
    return torch.where(mask, 0, weight)


def wanda64(weight: np.ndarray, inputs: list[np.ndarray], pattern: Pattern) -> np.ndarray:
    columns = range(weight.shape[1])
    norms = [math.sqrt(sum(float((x[:, j] ** 2).sum()) for x in inputs)) for j in columns]
    scores = np.abs(weight) * np.array(norms)
    if pattern.m:
        return np.where(groups64(scores, pattern), 0, weight)
    pruned = weight.copy()
    for row, scored in zip(pruned, scores.tolist(), strict=True):
        row[smallest(scored, int(len(scored) * pattern.ratio))] = 0
    return pruned


def wanda32(weight: torch.Tensor, inputs: list[torch.Tensor], pattern: Pattern) -> torch.Tensor:
    state = torch.zeros(weight.shape[1])
    for seen, x in enumerate(inputs):
        state *= seen / (seen + 1)
        state += torch.norm(x.t(), p=2, dim=1) ** 2 / (seen + 1)
    scores = torch.abs(weight) * torch.sqrt(state)
    if pattern.m:
        return torch.where(groups32(scores, pattern), 0, weight)
    pruned = weight.clone()
    for row, scored in zip(pruned, scores.tolist(), strict=True):
        row[smallest(scored, int(len(scored) * pattern.ratio))] = 0
    return pruned


def ria64(weight: np.ndarray, inputs: list[np.ndarray], pattern: Pattern) -> np.ndarray:
    rows, columns = weight.shape
    scores = np.zeros(weight.shape)
    for j in range(columns):
        norm = math.sqrt(sum(float((x[:, j] ** 2).sum()) for x in inputs) / len(inputs))
        for i in range(rows):
            size = abs(weight[i, j])
            relative = size / sum(np.abs(weight[:, j])) + size / sum(np.abs(weight[i, :]))
            scores[i, j] = relative * norm**0.5
    if pattern.m:
        return np.where(groups64(scores, pattern), 0, weight)
    return np.where(up_to_threshold(scores.tolist(), pattern.ratio), 0, weight)


def ria32(weight: torch.Tensor, inputs: list[torch.Tensor], pattern: Pattern) -> torch.Tensor:
    state = torch.zeros(weight.shape[1])
    for seen, x in enumerate(inputs):
        state *= seen / (seen + 1)
        state += torch.norm(x.t(), p=2, dim=1) ** 2 / (seen + 1)
    size = torch.abs(weight)
    relative = size / torch.sum(size, dim=0) + size / torch.sum(size, dim=1).reshape(-1, 1)
    scores = relative * torch.sqrt(state) ** 0.5
    if pattern.m:
        return torch.where(groups32(scores, pattern), 0, weight)
    return torch.where(torch.tensor(up_to_threshold(scores.tolist(), pattern.ratio)), 0, weight)


def sparsegpt64(
    weight: np.ndarray, inputs: list[np.ndarray], pattern: Pattern, damping: float = 0.01
) -> np.ndarray:
    """Optimal brain surgeon, column by column: each step inverts what is left of the Hessian."""
    columns = weight.shape[1]
    w = weight.copy()
    hessian = 2 * sum(x.T @ x for x in inputs) / len(inputs)
    for j in range(columns):
        if hessian[j, j] == 0:
            hessian[j, j] = 1
            w[:, j] = 0
    hessian += damping * np.mean(np.diag(hessian)) * np.eye(columns)
    inverses = [np.linalg.inv(hessian[j:, j:]) for j in range(columns)]

    def scores(start: int, end: int) -> np.ndarray:
        saliency = [w[:, j] ** 2 / inverses[j][0, 0] for j in range(start, min(end, columns))]
        return np.stack(saliency, 1)

    mask = np.zeros(w.shape, bool)
    for j in range(columns):
        if pattern.m and j % pattern.m == 0:
            mask[:, j : j + pattern.m] = groups64(scores(j, j + pattern.m), pattern)
        if not pattern.m and j % BLOCK == 0:
            found = scores(j, j + BLOCK).tolist()
            mask[:, j : j + BLOCK] = up_to_threshold(found, pattern.ratio)
        for row in range(len(w)):
            if mask[row, j]:
                w[row, j:] -= w[row, j] / inverses[j][0, 0] * inverses[j][0]
                w[row, j] = 0
    return np.where(mask, 0, w)


def sparsegpt32(
    weight: torch.Tensor, inputs: list[torch.Tensor], pattern: Pattern, damping: float = 0.01
) -> torch.Tensor:
    """The same, errors carried by the columns of one Cholesky factor, lazily past a block's end."""
    columns = weight.shape[1]
    hessian = torch.zeros(columns, columns)
    for seen, x in enumerate(inputs):
        hessian *= seen / (seen + 1)
        scaled = math.sqrt(2 / (seen + 1)) * x.t()
        hessian += scaled.matmul(scaled.t())
    w = weight.clone()
    for j in range(columns):
        if hessian[j, j] == 0:
            hessian[j, j] = 1
            w[:, j] = 0
    hessian[range(columns), range(columns)] += damping * torch.mean(torch.diag(hessian))
    lower = torch.linalg.cholesky(hessian)
    upper = torch.linalg.cholesky(torch.cholesky_inverse(lower), upper=True)

    for start in range(0, columns, BLOCK):
        end = min(start + BLOCK, columns)
        # Columns apart: what is done to one cannot touch another by mistake.
        column = {j: w[:, j].clone() for j in range(start, end)}
        masks: dict[int, torch.Tensor] = {}
        errors = []

        def choose(first: int, last: int, column: dict = column, masks: dict = masks) -> None:
            scores = torch.stack([column[j] ** 2 / upper[j, j] ** 2 for j in range(first, last)], 1)
            if pattern.m:
                mask = groups32(scores, pattern)
            else:
                mask = torch.tensor(up_to_threshold(scores.tolist(), pattern.ratio))
            masks.update(zip(range(first, last), mask.unbind(1), strict=True))

        if not pattern.m:
            choose(start, end)
        for j in range(start, end):
            if pattern.m and (j - start) % pattern.m == 0:
                choose(j, j + pattern.m)
            kept = torch.where(masks[j], 0, column[j])
            error = (column[j] - kept) / upper[j, j]
            for later in range(j + 1, end):
                column[later] = column[later] - error * upper[j, later]
            w[:, j] = kept
            errors.append(error)
        w[:, end:] -= torch.stack(errors, 1).matmul(upper[start:end, end:])
    return w


# ---- a whole OPT model in float64, and the walk through it


class Opt64:
    """An OPT model's forward pass in numpy, one sequence at a time; `w` holds its weights."""

    def __init__(self, model: OPTForCausalLM) -> None:
        self.config = model.config
        self.w = {name: x.detach().double().numpy() for name, x in model.state_dict().items()}

    def linear(self, name: str, x: np.ndarray) -> np.ndarray:
        y = x @ self.w[f"{name}.weight"].T
        return y + self.w[f"{name}.bias"] if f"{name}.bias" in self.w else y

    def norm(self, name: str, x: np.ndarray) -> np.ndarray:
        centred = x - x.mean(-1, keepdims=True)
        unit = centred / np.sqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
        return unit * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def embed(self, ids: np.ndarray) -> np.ndarray:
        x = self.w["model.decoder.embed_tokens.weight"][ids]
        if "model.decoder.project_in.weight" in self.w:
            x = self.linear("model.decoder.project_in", x)
        return x + self.w["model.decoder.embed_positions.weight"][np.arange(len(ids)) + 2]

    def layer(self, index: int, x: np.ndarray) -> tuple[np.ndarray, dict[str, np.ndarray]]:
        """The layer's output, [tokens, hidden], and the inputs of its Linears by name."""
        p = f"{PREFIX}.{index}"
        first = self.config.do_layer_norm_before
        seen: dict[str, np.ndarray] = {}

        def linear(name: str, x: np.ndarray) -> np.ndarray:
            seen[name] = x
            return self.linear(f"{p}.{name}", x)

        h = self.norm(f"{p}.self_attn_layer_norm", x) if first else x
        heads = self.config.num_attention_heads
        size = h.shape[1] // heads
        q, k, v = (linear(f"self_attn.{name}_proj", h) for name in "qkv")
        mixed = np.zeros_like(h)
        for head in range(heads):
            part = slice(head * size, (head + 1) * size)
            for t in range(len(h)):
                logits = k[: t + 1, part] @ q[t, part] / math.sqrt(size)
                share = np.exp(logits - logits.max())
                mixed[t, part] = share / share.sum() @ v[: t + 1, part]
        x = x + linear("self_attn.out_proj", mixed)
        if not first:
            x = self.norm(f"{p}.self_attn_layer_norm", x)
        h = self.norm(f"{p}.final_layer_norm", x) if first else x
        x = x + linear("fc2", np.maximum(linear("fc1", h), 0))
        return (x if first else self.norm(f"{p}.final_layer_norm", x)), seen

    def prune(self, sequences: torch.Tensor, prune: object, pattern: Pattern) -> None:
        """Prune `w` layer by layer with one of the pruners above that end in 64."""
        hidden = [self.embed(ids) for ids in sequences.numpy()]
        for index in range(self.config.num_hidden_layers):
            seen = [self.layer(index, x)[1] for x in hidden]
            for name in NAMES:
                key = f"{PREFIX}.{index}.{name}.weight"
                self.w[key] = prune(self.w[key], [x[name] for x in seen], pattern)
            hidden = [self.layer(index, x)[0] for x in hidden]


@torch.no_grad()
def linear_inputs(
    model: OPTForCausalLM, sequences: torch.Tensor, index: int
) -> dict[str, list[torch.Tensor]]:
    """The inputs of a layer's Linears in full forward passes: by name, [tokens, in] a sequence."""
    seen: dict[str, list[torch.Tensor]] = {name: [] for name in NAMES}
    handles = [
        model.get_submodule(f"{PREFIX}.{index}.{name}").register_forward_hook(
            lambda module, args, output, name=name: seen[name].append(
                args[0].reshape(-1, args[0].shape[-1])
            )
        )
        for name in NAMES
    ]
    for sequence in sequences:
        model(sequence[None])
    for handle in handles:
        handle.remove()
    return seen


@torch.no_grad()
def prune32(
    model: OPTForCausalLM, sequences: torch.Tensor, prune: object, pattern: Pattern
) -> None:
    """Prune a model with one of the pruners above that end in 32: a full pass for every layer."""
    for index in range(model.config.num_hidden_layers):
        seen = linear_inputs(model, sequences, index)
        for name in NAMES:
            weight = model.get_submodule(f"{PREFIX}.{index}.{name}").weight
            weight.copy_(prune(weight, seen[name], pattern))
