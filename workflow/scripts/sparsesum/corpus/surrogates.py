"""Lone surrogates, which JSON can hold, and neither a tokenizer nor Arrow takes."""


def clean(text: str) -> str:
    """The text with a "?" for each lone surrogate."""
    return text.encode("utf-8", "replace").decode("utf-8")
