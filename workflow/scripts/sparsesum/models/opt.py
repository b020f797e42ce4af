"""OPT in torch alone: what prunes, generates and measures likelihood loads no transformers.

transformers takes several seconds to import, in each job. Training, which peft works on, has its
OPT; this one gives the same bits (tests/unit/test_opt.py): modules and tensors are called as in a
checkpoint, and float operations run in the same order.
Source: OPT, arXiv 2205.01068, section 2; transformers' modeling_opt.
"""

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from sparsesum.base import finite
from sparsesum.base.errors import InputError

ACTIVATIONS = {"relu": functional.relu, "gelu": functional.gelu, "silu": functional.silu}

SHAPE = {
    "vocab_size": 50272,
    "hidden_size": 768,
    "num_hidden_layers": 12,
    "ffn_dim": 3072,
    "max_position_embeddings": 2048,
    "num_attention_heads": 12,
}
SWITCHES = {
    "do_layer_norm_before": True,
    "enable_bias": True,
    "layer_norm_elementwise_affine": True,
    "tie_word_embeddings": True,
    "_remove_final_layer_norm": False,
}
SHARES = {"dropout": 0.1, "attention_dropout": 0.0}
DEFAULTS = SHAPE | SWITCHES | SHARES | {"activation_function": "relu", "layerdrop": 0.0}
"""What a config.json may leave out, as transformers' OPTConfig has it."""

OFFSET = 2
"""The first position has embedding 2."""

Past = Callable[[torch.Tensor, torch.Tensor], tuple[torch.Tensor, torch.Tensor]]
"""Takes the keys and values of new tokens, [batch, heads, tokens, width]; returns all there are."""


def read_config(folder: Path) -> dict[str, Any]:
    """A checkpoint's configuration, complete; an InputError where it is none of OPT's."""
    path = Path(folder) / "config.json"
    if not path.is_file():
        raise InputError(f"{path}: no such file; a model's source is a folder in the Hub's format")
    try:
        config = DEFAULTS | json.loads(path.read_text(encoding="utf-8"))
    except (json.JSONDecodeError, TypeError) as error:
        raise InputError(f"{path}: broken JSON: {error}") from None
    if config.get("model_type") != "opt":
        raise InputError(
            f"{path}: model_type '{config.get('model_type')}'; allowed is opt: this project prunes "
            "OPT"
        )
    if config.get("word_embed_proj_dim") is None:
        config["word_embed_proj_dim"] = config["hidden_size"]
    numbers = [*SHAPE, "word_embed_proj_dim"]
    allowed = dict.fromkeys(numbers, (_is_number, "a number above 0"))  # type: dict[str, Any]
    allowed |= dict.fromkeys(SWITCHES, (_is_switch, "true or false"))
    allowed |= dict.fromkeys(SHARES, (_is_share, "from 0 to below 1"))
    activations = [*ACTIVATIONS]  # a list is asked with ==: what JSON holds may have no hash
    allowed["activation_function"] = (activations.__contains__, ", ".join(activations))
    # A layer that is left out at random would be there on a GPU.
    allowed["layerdrop"] = (_is_zero, "0: layers are never left out in training")
    for name, (is_allowed, said) in allowed.items():
        if not is_allowed(config[name]):
            raise InputError(f"{path}: {name} {config[name]!r}; allowed is {said}")
    if config["hidden_size"] % config["num_attention_heads"]:
        raise InputError(
            f"{path}: hidden_size {config['hidden_size']} with num_attention_heads "
            f"{config['num_attention_heads']}; allowed is a number of heads that divides it"
        )
    return config


def _is_number(value: object) -> bool:
    return type(value) is int and value > 0


def _is_switch(value: object) -> bool:
    return type(value) is bool


def _is_zero(value: object) -> bool:
    return type(value) in (int, float) and value == 0


def _is_share(value: Any) -> bool:
    return type(value) in (int, float) and 0 <= value < 1


class Attention(nn.Module):
    """Causal self-attention. `eager`: as two matrix products with a softmax in float32 between."""

    def __init__(self, config: dict[str, Any], linear: type[nn.Linear], eager: bool) -> None:
        super().__init__()
        width, self.heads = config["hidden_size"], config["num_attention_heads"]
        self.scale = (width // self.heads) ** -0.5
        self.eager = eager
        for name in ("q_proj", "k_proj", "v_proj", "out_proj"):
            setattr(self, name, linear(width, width, config["enable_bias"]))

    def forward(
        self: Any, hidden: torch.Tensor, past: Past | None, mask: torch.Tensor | None
    ) -> torch.Tensor:
        """What each token attends to, [batch, tokens, width]; `past` adds earlier tokens."""
        shape = (*hidden.shape[:2], self.heads, -1)
        query = (self.q_proj(hidden) * self.scale).view(shape).transpose(1, 2)
        keys = self.k_proj(hidden).view(shape).transpose(1, 2)
        values = self.v_proj(hidden).view(shape).transpose(1, 2)
        if past is not None:
            keys, values = past(keys, values)
        # Fused attention gives each head of a single token to one block of threads, on a GPU.
        one = query.is_cuda and query.shape[2] == 1
        if self.eager or one:
            mixed = _eager(query, keys, values, mask)
        else:
            causal = mask is None and query.shape[2] > 1
            mixed = functional.scaled_dot_product_attention(
                query, keys, values, mask, is_causal=causal, scale=1.0
            )
        return self.out_proj(mixed.transpose(1, 2).reshape(hidden.shape).contiguous())


def _eager(
    query: torch.Tensor, keys: torch.Tensor, values: torch.Tensor, mask: torch.Tensor | None
) -> torch.Tensor:
    """Attention as two matrix products; without a mask each token looks at those before it."""
    weights = torch.matmul(query, keys.transpose(-1, -2))
    if mask is None:
        mask = torch.ones(weights.shape[-2:], dtype=torch.bool, device=weights.device).tril()
    weights = weights.masked_fill(~mask, float("-inf"))
    weights = functional.softmax(weights, dim=-1, dtype=torch.float32).to(query.dtype)
    return torch.matmul(weights, values)


class Layer(nn.Module):
    """A decoder layer, its LayerNorms before or after the blocks; for inference: no dropout."""

    def __init__(
        self, config: dict[str, Any], linear: type[nn.Linear] = nn.Linear, eager: bool = False
    ) -> None:
        super().__init__()
        width, affine = config["hidden_size"], config["layer_norm_elementwise_affine"]
        self.before = config["do_layer_norm_before"]
        self.activation = ACTIVATIONS[config["activation_function"]]  # type: Any
        self.self_attn = Attention(config, linear, eager)
        self.self_attn_layer_norm = nn.LayerNorm(width, elementwise_affine=affine)
        self.fc1 = linear(width, config["ffn_dim"], config["enable_bias"])
        self.fc2 = linear(config["ffn_dim"], width, config["enable_bias"])
        self.final_layer_norm = nn.LayerNorm(width, elementwise_affine=affine)

    def forward(
        self, hidden: torch.Tensor, past: Past | None = None, mask: torch.Tensor | None = None
    ) -> torch.Tensor:
        """hidden: [batch, tokens, width]; mask: [batch, 1, tokens, all], True where one may look.

        Without a mask each token looks at those before it.
        """
        residual = hidden
        if self.before:
            hidden = self.self_attn_layer_norm(hidden)
        hidden = residual + self.self_attn(hidden, past, mask)
        if not self.before:
            hidden = self.self_attn_layer_norm(hidden)
        shape = hidden.shape
        residual = hidden = hidden.reshape(-1, shape[-1])
        if self.before:
            hidden = self.final_layer_norm(hidden)
        hidden = self.fc2(self.activation(self.fc1(hidden)))
        hidden = (residual + hidden).view(shape)
        if not self.before:
            hidden = self.final_layer_norm(hidden)
        return hidden


def _embedding(count: int, width: int) -> nn.Embedding:
    """An embedding that is not drawn at random: on the meta device torch imports its compiler to.

    That is a second and a half, for weights that are loaded anyway.
    """
    return nn.Embedding(count, width, _weight=torch.empty(count, width))


class Decoder(nn.Module):
    """Embeddings, layers, final norm and projections: token ids in, the head's inputs out."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        width, narrow = config["hidden_size"], config["word_embed_proj_dim"]
        self.embed_tokens = _embedding(config["vocab_size"], narrow)
        self.embed_positions = _embedding(config["max_position_embeddings"] + OFFSET, width)
        self.project_in = self.project_out = self.final_layer_norm = None
        if narrow != width:
            self.project_in = nn.Linear(narrow, width, bias=False)
            self.project_out = nn.Linear(width, narrow, bias=False)
        if config["do_layer_norm_before"] and not config["_remove_final_layer_norm"]:
            self.final_layer_norm = nn.LayerNorm(
                width, elementwise_affine=config["layer_norm_elementwise_affine"]
            )
        self.layers = nn.ModuleList(Layer(config) for _ in range(config["num_hidden_layers"]))

    def embed(self, ids: torch.Tensor, positions: torch.Tensor | None = None) -> torch.Tensor:
        """The first layer's inputs, [batch, tokens, width], of token ids, [batch, tokens].

        positions: [batch, tokens], counted from 0; by default each row's are 0, 1, 2, ...
        """
        if positions is None:
            positions = torch.arange(ids.shape[1], device=ids.device).expand(ids.shape)
        hidden = self.embed_tokens(ids)
        if self.project_in is not None:
            hidden = self.project_in(hidden)
        return hidden + self.embed_positions(positions + OFFSET)

    def forward(
        self,
        ids: torch.Tensor,
        positions: torch.Tensor | None = None,
        pasts: list[Past] | None = None,
        mask: torch.Tensor | None = None,
    ) -> torch.Tensor:
        """The head's inputs, [batch, tokens, narrow]; `pasts`: of each layer."""
        hidden = self.embed(ids, positions)
        for index, layer in enumerate(self.layers):
            hidden = layer(hidden, pasts and pasts[index], mask)
        if self.final_layer_norm is not None:
            hidden = self.final_layer_norm(hidden)
        if self.project_out is not None:
            hidden = self.project_out(hidden)
        return hidden


class OPT(nn.Module):
    """A model for inference. `decoder(ids)` gives what `lm_head` turns into logits."""

    def __init__(self, config: dict[str, Any]) -> None:
        super().__init__()
        self.config = config
        self.model = nn.Module()  # type: Any
        self.model.decoder = Decoder(config)
        self.lm_head = nn.Linear(config["word_embed_proj_dim"], config["vocab_size"], bias=False)

    @property
    def decoder(self) -> Decoder:
        """The decoder, by the name that transformers gives its tensors: `model.decoder`."""
        return self.model.decoder

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits, [batch, tokens, vocabulary], of token ids, [batch, tokens], without padding."""
        return self.lm_head(self.decoder(ids))


def model(
    config: dict[str, Any],
    state: Mapping[str, torch.Tensor],
    device: torch.device,
    dtype: torch.dtype,
) -> OPT:
    """The model of a configuration and a state dict as transformers names its tensors.

    A tied head is the embedding. A RuntimeError that names a tensor that is missing or of another
    shape; an InputError that names one with a value that is NaN or infinite, in that dtype.
    """
    with torch.device("meta"):
        network = OPT(config)
    state = {name: tensor.to(device, dtype) for name, tensor in state.items()}
    if config["tie_word_embeddings"]:
        state["lm_head.weight"] = state["model.decoder.embed_tokens.weight"]
    network.load_state_dict(state, strict=True, assign=True)
    finite.check(
        state, f"weights as {dtype}", "make or fetch it again, or set generate.dtype: fp32"
    )
    return network.eval().requires_grad_(False)
