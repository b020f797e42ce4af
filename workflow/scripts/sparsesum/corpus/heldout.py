"""Held-out text: bills that nothing was trained or calibrated on, without prompt or summary."""

from tokenizers import Tokenizer

from sparsesum.base.errors import InputError
from sparsesum.corpus import calibration
from sparsesum.corpus.surrogates import clean
from sparsesum.corpus.texts import first_ids


def sequences(
    tokenizer: Tokenizer, texts: list[str], count: int, length: int, seed: int, positions: int
) -> list[list[int]]:
    """`count` sequences of `length` token ids, [count, length], of the texts of the test split.

    "</s>" stands before each text, as OPT saw texts in its training; the texts are shuffled, joined
    and cut. An InputError where they are too short, or the model has fewer `positions`.
    """
    if length > positions:
        raise InputError(
            f"heldout.length = {length} exceeds the model's {positions} positions; lower it"
        )
    opening = tokenizer.encode("").ids
    # Of one text no more than all sequences together can be used.
    documents = [opening + first_ids(tokenizer, clean(bill), count * length) for bill in texts]
    return calibration.sequences(documents, count, length, seed, key="heldout", split="test")
