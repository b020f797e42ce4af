"""Fewer tokens in a byte-level BPE tokenizer: which stay, and its tokenizer.json with these alone.

A tokenizer is here the contents of its tokenizer.json. A token stays only with all that it is
merged from, so that text still gets to it; without a merge, its parts stand for it.
"""

from collections.abc import Mapping, Sequence, Set
from typing import Any

from tokenizers import pre_tokenizers

MARKS = ("<s>", "<pad>", "</s>", "<unk>")
"""The first tokens of OPT's vocabulary, ids 0 to 3 (arXiv 2205.01068's tokenizer)."""


def named(tokenizer: dict[str, Any]) -> dict[str, int]:
    """The id of each token, of those that were added too."""
    ids: dict[str, int] = dict(tokenizer["model"]["vocab"])
    return ids | {mark["content"]: mark["id"] for mark in tokenizer["added_tokens"]}


def least(tokenizer: dict[str, Any], marks: Set[int]) -> set[str]:
    """The tokens that stay in any case: OPT's marks, what was added, `marks` and the 256 bytes.

    marks: ids, of tokens. Bytes are single characters of the byte-level alphabet.
    """
    ids = named(tokenizer)
    always = {*MARKS, *pre_tokenizers.ByteLevel.alphabet(), tokenizer["model"].get("unk_token")}
    always |= {mark["content"] for mark in tokenizer["added_tokens"]}
    return {token for token, index in ids.items() if token in always or index in marks}


def choose(
    tokenizer: dict[str, Any], stay: Set[str], counts: Mapping[int, int], amount: int
) -> list[int]:
    """The ids of the `amount` tokens that stay, ascending.

    stay: those that do in any case. The others come by their `counts` (how often the text has each
    id), the lowest id first among equals, each with all that it is merged from; one that brings
    more than there is room for is passed over. amount: from len(stay) to all tokens.
    """
    ids = named(tokenizer)
    made: dict[str, list[str]] = {}
    for left, right in map(_parts, tokenizer["model"]["merges"]):
        made.setdefault(left + right, []).extend([left, right])
    found = set(stay)
    order = sorted(ids, key=lambda token: (-counts.get(ids[token], 0), ids[token]))
    while len(found) < amount:  # what was passed over may have its parts by now
        for token in order:
            more = _with_parts(token, made, found)
            if len(found) + len(more) <= amount:
                found |= more
    return sorted(ids[token] for token in found)


def _parts(merge: str | Sequence[str]) -> tuple[str, str]:
    """The two parts of a merge, which a file has as "a b" or, since tokenizers 0.20, ["a", "b"]."""
    left, right = merge.split(" ") if isinstance(merge, str) else merge
    return left, right


def _with_parts(token: str, made: Mapping[str, Sequence[str]], found: Set[str]) -> set[str]:
    """A token and what it is merged from, directly or not, that is not yet found."""
    more: set[str] = set()
    open_ = [token]
    while open_:
        token = open_.pop()
        if token not in found and token not in more:
            more.add(token)
            open_ += made.get(token, ())
    return more


def cut(tokenizer: dict[str, Any], stay: Sequence[int]) -> dict[str, Any]:
    """The tokenizer with the tokens `stay` alone; their new ids are their places there.

    stay: ids, ascending. All else remains as it is, but the ids in the post-processor's template.
    """
    new = {old: place for place, old in enumerate(stay)}
    model = tokenizer["model"]
    vocabulary = sorted((new[old], token) for token, old in model["vocab"].items() if old in new)
    there = {token for _, token in vocabulary}
    merges = [
        merge
        for merge in model["merges"]
        if there.issuperset([*_parts(merge), "".join(_parts(merge))])
    ]
    added = [mark | {"id": new[mark["id"]]} for mark in tokenizer["added_tokens"]]
    processor = tokenizer["post_processor"]
    if processor and processor["type"] == "TemplateProcessing":
        marks = {
            name: mark | {"ids": [new[old] for old in mark["ids"]]}
            for name, mark in processor["special_tokens"].items()
        }
        processor = processor | {"special_tokens": marks}
    vocab = {token: place for place, token in vocabulary}
    return tokenizer | {
        "added_tokens": added,
        "post_processor": processor,
        "model": model | {"vocab": vocab, "merges": merges},
    }
