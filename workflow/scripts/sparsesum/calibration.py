"""The calibration set: token sequences of one length, which tell a pruner what inputs look like."""

from random import Random

from sparsesum.errors import InputError


def sequences(documents: list[list[int]], count: int, length: int, seed: int) -> list[list[int]]:
    """`count` sequences of `length` token ids, [count, length].

    The documents (each opens with "</s>") are shuffled, joined and cut without overlap. An
    InputError where they are too short for that.
    """
    order = list(documents)
    Random(seed).shuffle(order)
    stream = [token for document in order for token in document]
    if len(stream) < count * length:
        raise InputError(
            f"the calibration set asks for {count} sequences of {length} tokens = "
            f"{count * length:,}, the train split has {len(stream):,}; lower calibration.sequences "
            "or calibration.length, or raise the corpus's train records"
        )
    return [stream[i * length : (i + 1) * length] for i in range(count)]
