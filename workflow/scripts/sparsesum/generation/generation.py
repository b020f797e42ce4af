"""Greedy generation: batches of prompts of like length, each summary ended at its marker."""

import time
from bisect import bisect_left
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import torch
from tokenizers import Tokenizer

from sparsesum.base.errors import InputError
from sparsesum.base.files import read_json, write_json
from sparsesum.corpus.prompt import PAPER, Prompt, prediction
from sparsesum.generation import decoding
from sparsesum.jobs.job import Progress
from sparsesum.machine import device as devices
from sparsesum.machine import memory
from sparsesum.models import opt

END, PAD = "</s>", "<pad>"


def tokenizer(file: Path) -> Tokenizer:
    """The tokenizer of a checkpoint; decoding leaves out padding and the end of a text."""
    found = Tokenizer.from_file(str(file))
    found.add_special_tokens([PAD, END])
    return found


class Generated(NamedTuple):
    """New tokens of each prompt, in the prompts' order, and what they took, before a break too."""

    tokens: list[list[int]]
    seconds: float
    batch_size: int
    peak_memory_mb: float
    devices: list[str]


def now(device: torch.device) -> float:
    """A clock's seconds, once the device has done what it was given."""
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    return time.perf_counter()


def generate(
    model: Any,
    tokenizer: Tokenizer,
    prompts: list[list[int]],
    batch_size: Any,
    max_new_tokens: int,
    progress: Progress | None = None,
    stop: str = PAPER.stop,
    notes: Path | None = None,
) -> Generated:
    """The likeliest tokens after each prompt, the longest prompts first.

    batch_size: of prompts, or "auto": as many as the device's memory holds. Each finished batch is
    kept in the folder `notes`, if there is one; those that a broken off run of the same arguments
    left there are not generated again, and count with what they took there. On a GPU the first
    batch is done twice, since kernels are loaded as they are first needed.

    A sequence ends at `stop` or "</s>" (both kept in what is returned) or at the limit. An
    InputError where a prompt and its new tokens exceed the model's positions.
    """
    dense = isinstance(model, opt.OPT)
    config = model.config if dense else model.config.to_dict()
    longest, positions = max(map(len, prompts)), config["max_position_embeddings"]
    if longest + max_new_tokens > positions:
        raise InputError(
            f"a prompt of {longest} tokens and generate.max_new_tokens = {max_new_tokens} exceed "
            f"the model's {positions} positions; lower tokens.text or generate.max_new_tokens"
        )
    weight = next(p for p in model.parameters() if p.is_floating_point())
    device = weight.device
    if batch_size == "auto":
        length = longest + max_new_tokens
        batch_size = memory.of_generation(
            device, config, length, weight.element_size(), dense, len(prompts)
        )
    rows = min(batch_size, len(prompts))
    decode = _decoder(model, tokenizer, rows, longest, max_new_tokens, stop)
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]), reverse=True)
    results: list[list[int]] = [[] for _ in prompts]
    seconds, peaks, names = 0.0, [], []
    # By the size of the batches, which "auto" finds again: the machine may be another one.
    done = [] if notes is None else list(notes.glob(f"batches-of-{rows}-*.json"))
    if done and len(done) * rows < len(order) and progress is not None:
        progress.skip(len(done) * rows)
    warm = device.type == "cpu"
    for start in range(0, len(order), rows):
        chosen = order[start : start + rows]
        note = notes and notes / f"batches-of-{rows}-{start}.json"
        if note in done:
            kept = read_json(note)
        else:
            batch = [prompts[i] for i in chosen]
            if not warm:
                decode(batch)
                warm = True
            begun = now(device)
            kept = {"tokens": decode(batch), "seconds": now(device) - begun}
            kept["peak_memory_mb"] = devices.peak_memory_mb(device)
            kept["device"] = devices.name(device)
            if note:
                write_json(note, kept)
            if progress is not None:
                progress(start + len(chosen))
        seconds += kept["seconds"]
        peaks.append(kept["peak_memory_mb"])
        names.append(kept["device"])
        for i, row in zip(chosen, kept["tokens"], strict=True):
            results[i] = row
    return Generated(results, seconds, rows, max(peaks), list(dict.fromkeys(names)))


def _decoder(
    model: torch.nn.Module, tokenizer: Tokenizer, rows: int, width: int, limit: int, stop: str
) -> Callable[[list[list[int]]], list[list[int]]]:
    """What turns a batch of prompts into new tokens, each row cut where it ended."""
    pad, end = (tokenizer.token_to_id(token) for token in (PAD, END))  # type: Any, Any
    if not isinstance(model, opt.OPT):
        from sparsesum.generation import paper_engine

        return partial(paper_engine.greedy, model, tokenizer, limit, pad, end, stop)

    def stopped(ids: list[int]) -> bool:
        return stop in tokenizer.decode(ids)

    def cut(ids: list[int]) -> list[int]:
        """All up to the token that completes `stop`."""
        return ids[: bisect_left(range(len(ids)), True, key=lambda count: stopped(ids[:count]))]

    decode = decoding.Greedy(model, rows, width, limit, pad, end)
    return lambda prompts: [cut(row) for row in decode(prompts, stopped)]


def records(
    tokens: dict[str, list[Any]],
    generated: list[list[int]],
    tokenizer: Tokenizer,
    max_new_tokens: int,
    prompt: Prompt = PAPER,
) -> list[dict[str, Any]]:
    """One record an example: id, prompt_tokens, tokens (new ones), cut_off, prediction, reference.

    `cut_off`: the limit was reached before the model ended its summary.
    """
    end = tokenizer.token_to_id(END)
    rows = []
    for i, ids in enumerate(generated):
        text = tokenizer.decode(ids)
        ended = prompt.stop in text or end in ids
        rows.append(
            {
                "id": tokens["id"][i],
                "prompt_tokens": len(tokens["prompt_ids"][i]),
                "tokens": len(ids),
                "cut_off": len(ids) >= max_new_tokens and not ended,
                "prediction": prediction(text, prompt),
                "reference": tokens["reference"][i],
            }
        )
    return rows
