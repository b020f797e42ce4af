"""Token sequences of one length: the calibration set, which tells a pruner what inputs look like.

Held-out text is cut in the same way.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from random import Random

from sparsesum.base.errors import InputError
from sparsesum.corpus import formats
from sparsesum.corpus.reading import rows
from sparsesum.corpus.surrogates import clean


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
    """The texts of a file: a .txt file as one text, or column `text` of records in a format.

    The formats are those of `rows`: JSON Lines, CSV, Parquet and more. Raises InputError with file
    and place for anything else.
    """
    file = Path(file)
    if not file.is_file():
        raise InputError(f"{file}: no such file; calibration.text names the file to calibrate with")
    if file.suffix == ".txt":
        return [file.read_text(encoding="utf-8-sig", errors="replace")]
    if not formats.ending(file.name):
        raise InputError(f"{file}: allowed are .txt, {formats.ALLOWED}")
    texts = []
    for place, row in rows(file, ["text"]):
        if not isinstance(row.get("text"), str):
            raise InputError(f"{place}: a record without a text, and each needs one")
        texts.append(clean(row["text"]))
    if not texts:
        raise InputError(f"{file}: no texts")
    return texts
