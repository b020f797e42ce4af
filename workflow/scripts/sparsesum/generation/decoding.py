"""Greedy decoding of one batch with a static cache; on a GPU each step is one CUDA graph.

transformers' generate takes 16 ms a token on a GPU that reads the weights in 0.06 ms: hundreds of
small launches and a Python test of strings, at every step. Here a step is captured once and
replayed, and what was written is looked at every few steps.
"""

from collections.abc import Callable, Sequence
from typing import Any

import torch

from sparsesum.base.errors import InputError
from sparsesum.models.opt import OPT

EVERY = 8
"""Steps between two looks at what was written."""

ALIGNED = 16
"""The cache's length is a multiple of it, as fused attention wants its masks."""


class Place:
    """Where the next tokens' keys and values go, in all layers' caches.

    end: how many tokens there are. index: the same for a CUDA graph, [1], on the device: a graph
    repeats its launches as they were, so what changes from step to step is a tensor. It attends to
    the whole cache, masked; without a graph only what is there is read.
    """

    def __init__(self, device: torch.device) -> None:
        self.end = 0
        on_gpu = device.type == "cuda"
        self.index = torch.zeros(1, dtype=torch.int64, device=device) if on_gpu else None

    def set(self, end: int) -> None:
        """Go on after `end` tokens."""
        self.end = end
        if self.index is not None:
            self.index.fill_(end)

    def advance(self) -> None:
        """Go on after one token more."""
        self.end += 1
        if self.index is not None:
            self.index += 1


class Cache:
    """A layer's keys and values, [batch, heads, length, width]: a `Past` of `opt`."""

    def __init__(self, shape: tuple[int, ...], place: Place, like: torch.Tensor) -> None:
        # Zeros: what is masked is multiplied by 0, and so must be a number.
        self.keys, self.values = (like.new_zeros(shape) for _ in range(2))
        self.place = place

    def __call__(
        self, keys: torch.Tensor, values: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Write the new tokens' keys and values; those to attend to, theirs included."""
        count, end = keys.shape[2], self.place.end
        if count > 1 or self.place.index is None:
            self.keys[:, :, end : end + count] = keys
            self.values[:, :, end : end + count] = values
            return self.keys[:, :, : end + count], self.values[:, :, : end + count]
        self.keys.index_copy_(2, self.place.index, keys)
        self.values.index_copy_(2, self.place.index, values)
        return self.keys, self.values


class Greedy:
    """Decodes batches of at most `rows` prompts of at most `width` tokens, one after the other.

    All of its tensors keep their memory, so that one captured step serves every batch. limit: of
    new tokens; pad, end: ids of the tokens that fill up a row and that end a sequence.
    """

    def __init__(
        self, model: OPT, rows: int, width: int, limit: int, pad: int, end: int, graph: bool = True
    ) -> None:
        """`graph`: on a GPU a step is captured; the tokens are the same without."""
        self.model, self.pad, self.end = model, pad, end
        weight, config = model.lm_head.weight, model.config
        device = weight.device
        self.place = Place(device)
        self.graph = graph and self.place.index is not None
        heads = config["num_attention_heads"]
        length = -(-(width + limit) // ALIGNED) * ALIGNED
        shape = (rows, heads, length, config["hidden_size"] // heads)
        self.caches = [Cache(shape, self.place, weight) for _ in model.decoder.layers]
        self.mask = torch.zeros(rows, 1, 1, length, dtype=torch.bool, device=device)
        self.positions = torch.zeros(rows, 1, dtype=torch.int64, device=device)
        self.tokens = torch.zeros(rows, 1, dtype=torch.int64, device=device)
        self.written = torch.zeros(rows, limit, dtype=torch.int64, device=device)
        self.done = torch.zeros(rows, dtype=torch.bool, device=device)
        self.steps = torch.zeros(1, dtype=torch.int64, device=device)
        self.total = torch.zeros((), device=device)  # of the chosen logits: NaN where any was
        self.replay: Callable[[], None] | None = None

    @torch.inference_mode()
    def __call__(
        self, prompts: Sequence[Sequence[int]], stopped: Callable[[list[int]], bool]
    ) -> list[list[int]]:
        """The new tokens of each prompt, each the likeliest; the end token is kept.

        `stopped`: whether a sequence's new tokens say that it is over; asked every few steps, so
        that some more may follow. An InputError where a logit was NaN or infinite: it would be
        decoded to some token.
        """
        limit = self.written.shape[1]
        self._read(prompts)
        going, done = set(range(len(prompts))), 1
        while True:
            rows = self.written[: len(prompts), :done].tolist()
            rows = [row[: row.index(self.end) + 1] if self.end in row else row for row in rows]
            going = {i for i in going if rows[i][-1] != self.end and not stopped(rows[i])}
            if done == limit or not going:
                check_sound(self.total.isfinite())
                return rows
            for _ in range(count := min(EVERY, limit - done)):
                self._step()
            done += count

    def _read(self, prompts: Sequence[Sequence[int]]) -> None:
        """Run the prompts and choose the first new tokens. A row without a prompt has ended."""
        rows, device = len(self.tokens), self.tokens.device
        lengths: Any = [len(prompt) for prompt in prompts] + [1] * (rows - len(prompts))
        # Padding is on the right, where no token of the prompt looks: no mask is needed, and fused
        # attention has the faster of its kernels. New tokens come behind it; their positions say
        # what they follow.
        ids = torch.full((rows, max(lengths)), self.pad)
        for row, prompt in enumerate(prompts):
            ids[row, : len(prompt)] = torch.tensor(list(prompt))
        lengths = torch.tensor(lengths, device=device)
        self.place.set(0)
        hidden = self.model.decoder(ids.to(device), pasts=self.caches)
        self.place.set(ids.shape[1])
        columns = torch.arange(self.mask.shape[-1], device=device)
        self.mask.copy_((columns < lengths[:, None])[:, None, None])
        self.positions.copy_(lengths[:, None])
        self.done.copy_(torch.arange(rows, device=device) >= len(prompts))
        self.steps.zero_()
        self._choose(hidden[torch.arange(rows, device=device), lengths - 1])

    def _choose(self, hidden: torch.Tensor) -> None:
        """Write each sequence's likeliest next token, of [rows, width]; of equals the first."""
        logits = self.model.lm_head(hidden)
        tokens = logits.argmax(-1)
        # The likeliest is NaN where any is.
        self.total += logits.gather(-1, tokens[:, None]).sum(dtype=torch.float32)
        tokens = tokens.masked_fill(self.done, self.pad)
        self.tokens.copy_(tokens[:, None])
        self.written.index_copy_(1, self.steps, self.tokens)
        self.done |= tokens == self.end
        self.steps += 1

    def _step(self) -> None:
        """Read the tokens that were chosen last, and choose the next."""
        if self.replay is not None:
            self.replay()
        elif self.graph:
            self.replay = captured(self._advance)
        else:
            self._advance()

    def _advance(self) -> None:
        """A step that looks at no value on the device."""
        if self.place.index is None:
            self.mask[..., self.place.end] = True
            mask = self.mask[..., : self.place.end + 1]
        else:
            mask = self.mask.index_fill_(-1, self.place.index, True)
        hidden = self.model.decoder(self.tokens, self.positions, self.caches, mask)
        self.place.advance()
        self.positions += 1
        self._choose(hidden[:, 0])


def check_sound(sound: torch.Tensor) -> None:
    """Raise an InputError unless `sound`: whether all logits were finite."""
    if not sound:
        raise InputError(
            "a logit is NaN or infinite, and the token that it stands for is none: the model is "
            "not sound, or overflows in generate.dtype (allowed: fp32, bf16, fp16, auto)"
        )


def captured(step: Callable[[], None]) -> Callable[[], None]:
    """Do a step once; returns it as a CUDA graph to be replayed."""
    beside = torch.cuda.Stream()
    beside.wait_stream(torch.cuda.current_stream())
    with torch.cuda.stream(beside):  # libraries make their workspaces in the first, uncaptured
        step()
    torch.cuda.current_stream().wait_stream(beside)
    graph = torch.cuda.CUDAGraph()
    with torch.cuda.graph(graph):
        step()
    return graph.replay
