"""A text of one's own to summarise: its file, and the prompt with what a model takes of it."""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sparsesum.base.errors import InputError
from sparsesum.corpus.prompt import PAPER, Prompt, inference_prompt

if TYPE_CHECKING:  # rules only read files with this
    from tokenizers import Tokenizer

NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
UNSAFE = re.compile(r"[\x00-\x1f\x7f{}]")


def listed(given: str | list[str] | None) -> list[str]:
    """What a key names that takes one or several: a list, or a text with commas between them.

    Each once, in the order given.
    """
    parts = given.split(",") if isinstance(given, str) else given or []
    return list(dict.fromkeys(part.strip() for part in parts if part.strip()))


def named(paths: list[str]) -> dict[str, str]:
    """Each file by what its outputs are called: its name without folder and ending.

    An InputError where no path of Snakemake's can have the name, or two files have the same.
    """
    found: dict[str, str] = {}
    for path in map(Path, paths):
        if not NAME.fullmatch(path.stem) or UNSAFE.search(str(path)):
            raise InputError(
                f"key 'bill': {path}: its summaries cannot be called '{path.stem}'; allowed: up to "
                "100 letters, digits, ., _ and - before the ending, the first a letter or digit, "
                "in a folder without braces; copy the file to such a name"
            )
        if (other := found.setdefault(path.stem, str(path))) != str(path):
            raise InputError(
                f"key 'bill': {other} and {path} have the same name, and so would their summaries; "
                "rename one"
            )
    return found


def read(path: str | Path) -> str:
    """The text of a file in UTF-8, as it is, but with plain line breaks.

    An InputError where there is no such file, or it has no text.
    """
    if not Path(path).is_file():
        raise InputError(f"key 'bill': {path}: no such file; allowed: a text file, or several")
    try:
        raw = Path(path).read_bytes()
        text = raw.decode("utf-8-sig")
    except OSError as error:
        raise InputError(f"key 'bill': {path}: cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise InputError(
            f"key 'bill': {path}: no text in UTF-8 (its byte {error.start}); save it as one"
        ) from None
    if "\0" in text:
        raise InputError(f"key 'bill': {path}: binary, not a text; save it as text in UTF-8")
    if not text.strip():
        raise InputError(f"key 'bill': {path}: blank; there is nothing to summarise")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def asked(
    tokenizer: "Tokenizer", text: str, limit: int, room: int, template: Prompt = PAPER
) -> tuple[list[int], float]:
    """The prompt's token ids with the start of a text, as rule `tokens` has them; and its share.

    limit: tokens of the text that are taken; fewer are, where the prompt would have more than
    `room` tokens. The share is of the text's characters, 0..1. An InputError where none fits.
    """
    from sparsesum.corpus.tokens import truncate

    while True:
        part = truncate(tokenizer, text, limit)
        ids = tokenizer.encode(inference_prompt(part, template)).ids
        if len(ids) <= room:
            return ids, min(1.0, len(part) / len(text))
        taken = len(tokenizer.encode(part, add_special_tokens=False).ids)
        limit = min(limit, taken) - (len(ids) - room)
        if limit < 1:
            raise InputError(
                f"the prompt leaves no room for a text: {len(ids) - taken} tokens of it are in "
                f"{room}, the model's positions less generate.max_new_tokens; lower that, or "
                "shorten the key 'prompt'"
            )
