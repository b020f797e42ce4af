"""How likely a model finds given tokens, each after all that stand before it."""

from collections.abc import Callable, Iterator, Sequence

import torch
from torch.nn.functional import cross_entropy

from sparsesum.base import finite
from sparsesum.base.errors import InputError
from sparsesum.models.opt import OPT

TOKENS = 2048
"""Tokens in one forward pass, padding included; a longer sequence is one by itself."""


def _silent(done: int) -> None:
    pass


@torch.inference_mode()
def negative_log(
    model: OPT,
    sequences: Sequence[Sequence[int]],
    starts: Sequence[int],
    report: Callable[[int], None] = _silent,
) -> list[float]:
    """-log P of each sequence's tokens from its start on, given all before: a sum, in nats.

    starts: the index, at least 1, of the first token that counts. Logits are made from the tokens
    that count alone, and become float32. report: called with the number of sequences done. An
    InputError where a sequence exceeds the model's positions, or its likelihood is not finite.
    """
    longest, positions = max(map(len, sequences)), model.config["max_position_embeddings"]
    if longest > positions:
        raise InputError(
            f"a sequence of {longest} tokens exceeds the model's {positions} positions; lower "
            "heldout.length, tokens.text or tokens.summary"
        )
    device = next(model.parameters()).device
    sums = [0.0] * len(sequences)
    done = 0
    for chosen in _batches([len(sequence) for sequence in sequences]):
        width = len(sequences[chosen[0]])
        # Padding is on the right, where no token looks: any id will do, and no mask is needed.
        ids = torch.zeros(len(chosen), width, dtype=torch.int64)
        counts = torch.zeros(len(chosen), width, dtype=torch.bool)
        for row, i in enumerate(chosen):
            ids[row, : len(sequences[i])] = torch.tensor(list(sequences[i]))
            counts[row, starts[i] : len(sequences[i])] = True
        ids, counts = ids.to(device), counts.to(device)
        hidden = model.decoder(ids)
        # A token is predicted from the hidden state of the one before.
        logits = model.lm_head(hidden[:, :-1][counts[:, 1:]]).float()
        losses = cross_entropy(logits, ids[:, 1:][counts[:, 1:]], reduction="none").double()
        parts = losses.split([len(sequences[i]) - starts[i] for i in chosen])
        for i, part in zip(chosen, parts, strict=True):
            sums[i] = float(part.sum())
        done += len(chosen)
        report(done)
    finite.check_values(sums, "the likelihood", (f"sequence {i}" for i in range(len(sums))))
    return sums


def _batches(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Indices, the longest sequences first, as many at once as fit in TOKENS with padding."""
    order = sorted(range(len(lengths)), key=lambda i: lengths[i], reverse=True)
    while order:
        size = max(1, TOKENS // lengths[order[0]])
        yield order[:size]
        del order[:size]
