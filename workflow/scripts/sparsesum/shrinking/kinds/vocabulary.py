"""Fewer tokens: the vocabulary of the corpus's own texts, and the rows that it has for them."""

from collections import Counter
from pathlib import Path
from typing import Any

import torch
from tokenizers import Tokenizer

from sparsesum.base.errors import InputError
from sparsesum.base.files import read_json, write_json
from sparsesum.models import opt
from sparsesum.models.linears import DECODER
from sparsesum.models.tensorfile import TensorFile
from sparsesum.shrinking import cut, tokenizer_cut

NEEDS = ("texts",)

IDS = {"bos_token_id": 2, "eos_token_id": 2, "pad_token_id": 1}
"""A configuration's own ids, and what transformers takes where it has none."""

ROWS = (f"{DECODER}.embed_tokens.weight", cut.HEAD)


def shrink(source: Path, draft: Path, amount: int, given: cut.Given) -> None:
    """Keep `amount` tokens: marks, bytes, and those that the texts are most often encoded to.

    A token stays with what it is merged from (`tokenizer_cut.choose`). The embedding, and a head of
    its own, lose the other rows, among them those of ids without a token; the order of ids stays,
    so that OPT's marks are 0 to 3 as before. Writes tokenizer.json, too.

    An InputError for an amount that marks and bytes exceed, or that takes nothing away; for no
    texts; and for a tokenizer that is no byte-level BPE or cannot be cut.
    """
    file = Path(given.tokenizer or source / "tokenizer.json")
    tokenizer, encoder = _read(file)
    config = opt.read_config(source)
    ids = {key: config.get(key, usual) for key, usual in IDS.items()}
    for key, index in ids.items():
        if index is not None and encoder.id_to_token(index) is None:
            raise InputError(f"{source}: config.json's {key} {index} is no token of {file}")
    first = encoder.encode("").ids
    stay = tokenizer_cut.least(tokenizer, {*first, *ids.values()})
    _check_amount(amount, len(stay), tokenizer, config["vocab_size"])
    kept = tokenizer_cut.choose(tokenizer, stay, _counts(encoder, given), amount)
    new = {old: place for place, old in enumerate(kept)}
    changes = {key: new.get(old) for key, old in ids.items()} | {"vocab_size": amount}
    _write_tokenizer(draft / "tokenizer.json", tokenizer, kept, [new[old] for old in first])
    _write_model(source, draft, changes, kept)


def _read(file: Path) -> tuple[dict[str, Any], Tokenizer]:
    """A tokenizer.json's contents, and what encodes by it; an InputError for one of another kind.

    tokenizers gives an added token the next free id, whatever the file says.
    """
    tokenizer, encoder = read_json(file), Tokenizer.from_file(str(file))
    kind = tokenizer["model"]["type"]
    if kind != "BPE":
        raise InputError(f"{file}: a {kind} tokenizer; allowed is BPE")
    if encoder.get_vocab() != tokenizer_cut.named(tokenizer):
        raise InputError(f"{file}: an added token has an id that is not the next free one; mend it")
    encoder.no_truncation()
    return tokenizer, encoder


def _check_amount(amount: int, least: int, tokenizer: dict[str, Any], size: int) -> None:
    """An InputError for a vocabulary that is smaller than its bytes, or no smaller than it was."""
    there = len(tokenizer_cut.named(tokenizer))
    if amount < least:
        raise InputError(
            f"a vocabulary of {amount:,} is smaller than its bytes and marks; allowed is from "
            f"{least:,} on"
        )
    if amount > there or amount >= size:
        raise InputError(
            f"a vocabulary of {amount:,} takes no token away: there are {there:,}, and {size:,} "
            "rows for them; lower it"
        )


def _counts(encoder: Tokenizer, given: cut.Given) -> Counter[int]:
    """How often the texts have each id; an InputError where they have none."""
    counts: Counter[int] = Counter()
    for done, text in enumerate(given.texts or (), start=1):
        counts.update(encoder.encode(text, add_special_tokens=False).ids)
        given.report(done, "of the texts counted")
    if not counts:
        raise InputError("no text to count tokens in: the vocabulary's amount needs some")
    return counts


def _write_tokenizer(
    path: Path, tokenizer: dict[str, Any], kept: list[int], first: list[int]
) -> None:
    """Write the cut tokenizer; an InputError unless it puts the ids `first` about a text."""
    write_json(path, tokenizer_cut.cut(tokenizer, kept))
    if Tokenizer.from_file(str(path)).encode("").ids != first:
        kind = tokenizer["post_processor"]["type"]
        raise InputError(
            f"the tokenizer cannot be cut: its post-processor {kind} has ids that change; allowed "
            "is TemplateProcessing, or marks that come first"
        )


def _write_model(source: Path, draft: Path, changes: dict[str, Any], kept: list[int]) -> None:
    """Write the model with the rows `kept` alone of its embedding, and of a head of its own."""
    shapes = cut.shapes(source)
    for name in ROWS:
        if name in shapes:
            shapes[name][0] = len(kept)
    target = cut.create(source, draft, changes, shapes)
    tensors = TensorFile(source / "model.safetensors")
    rows = torch.tensor(kept)
    for name in shapes:
        cut.put(target, name, tensors[name][rows] if name in ROWS else tensors[name])
