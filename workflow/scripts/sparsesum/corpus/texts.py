"""The first tokens of a text of any length."""

from bisect import bisect_left

from tokenizers import Tokenizer

SEAM = 8
"""Words at a cut that may differ from the whole text's: a word is one by what follows it, too."""

WORD = 100_000
"""Characters; no word is longer. Where one is, what stands before is enough of it."""


FIRST, EACH = 1000, 16
"""Characters that are encoded at first: so many, and so many for each token that is asked for."""


def first_ids(tokenizer: Tokenizer, text: str, limit: int) -> list[int]:
    """The first `limit` token ids of a `text` (all, where it has fewer), without special ones.

    They are those of the whole text, of which only a beginning is encoded: ten megabytes cost 2 GB.
    Merges never cross words (what the tokenizer's pre-tokenizer splits a text into), so words well
    before the cut are as they are in the whole. Only of a word beyond WORD characters the last ids
    may be others.
    """
    reach = FIRST + EACH * limit
    while reach < len(text):
        head = tokenizer.encode(text[:reach], add_special_tokens=False)
        # None is of a special token alone.
        settled = bisect_left(head.word_ids, head.word_ids[-1] - SEAM) if head.ids else 0  # type: ignore[operator, type-var]
        endless = head.ids and reach - head.offsets[settled][0] > WORD
        if settled >= limit or (endless and len(head.ids) >= limit):
            return head.ids[:limit]
        reach *= 4
    return tokenizer.encode(text, add_special_tokens=False).ids[:limit]
