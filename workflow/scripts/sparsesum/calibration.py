"""Token sequences of one length: the calibration set, which tells a pruner what inputs look like.

Held-out text is cut in the same way.
"""

import gzip
import json
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from sparsesum.errors import InputError
from sparsesum.texts import clean


def sequences(
    documents: list[list[int]],
    count: int,
    length: int,
    seed: int,
    key: str = "calibration",
    split: str = "train",
) -> list[list[int]]:
    """`count` sequences of `length` token ids, [count, length].

    The documents (each opens with "</s>") are shuffled, joined and cut without overlap. An
    InputError where they are too short for that; it names the config's `key` that asks for them,
    and the `split` that they come from.
    """
    order = list(documents)
    Random(seed).shuffle(order)
    stream = [token for document in order for token in document]
    if len(stream) < count * length:
        raise InputError(
            f"{key} asks for {count} sequences of {length} tokens = {count * length:,}, the "
            f"{split} split has {len(stream):,}; lower {key}.sequences or {key}.length, or raise "
            f"the corpus's {split} records"
        )
    return [stream[i * length : (i + 1) * length] for i in range(count)]


def windows(
    texts: Sequence[str], encode: Callable[[str], list[int]], count: int, length: int, seed: int
) -> list[list[int]]:
    """`count` windows of `length` token ids, [count, length], each from a text drawn at random.

    Texts of no more than `length` tokens are passed over. An InputError where none is longer.
    Source: the loader of C4 in the reference code of SparseGPT (arXiv 2301.00774) and Wanda (arXiv
    2306.11695); the same texts, tokenizer and seed give the same windows.
    """
    rng = Random(seed)
    found: list[list[int]] = []
    short: set[int] = set()
    while len(found) < count:
        index = rng.randint(0, len(texts) - 1)
        ids = [] if index in short else encode(texts[index])
        if len(ids) > length:
            start = rng.randint(0, len(ids) - length - 1)
            found.append(ids[start : start + length])
        else:
            short.add(index)
            if len(short) == len(texts):
                raise InputError(
                    f"no calibration text has more than {length} tokens; lower calibration.length"
                )
    return found


def read_texts(file: Path) -> list[str]:
    """The texts of a file: JSON Lines with a `text` (.jsonl, .json, .gz of them), or .txt.

    A .txt file is one text. Raises InputError with file and line for anything else.
    """
    file = Path(file)
    if not file.is_file():
        raise InputError(f"{file}: no such file; calibration.text names the file to calibrate with")
    if file.suffix == ".txt":
        return [file.read_text(encoding="utf-8", errors="replace")]
    if not {".jsonl", ".json"} & set(file.suffixes):
        raise InputError(f"{file}: allowed are .txt, .jsonl and .json, the last two also as .gz")
    texts = []
    opened = gzip.open if file.suffix == ".gz" else open
    try:
        with opened(file, "rt", encoding="utf-8", errors="replace") as lines:
            for number, line in enumerate(lines, start=1):
                try:
                    texts.append(clean(json.loads(line)["text"]))
                # A number of 5,000 digits is a ValueError, lists 1,000 deep are a RecursionError.
                except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
                    raise InputError(
                        f"{file}, line {number}: no JSON object with a text; one a line is needed"
                    ) from None
    except (OSError, EOFError, zlib.error) as error:
        raise InputError(f"{file}: cannot be read: {error}; fetch or pack it again") from None
    if not texts:
        raise InputError(f"{file}: no texts")
    return texts
