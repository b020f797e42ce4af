"""Whether texts of the configured lengths fit a model, checked before the first job."""

from pathlib import Path
from typing import Any

from sparsesum.base.errors import InputError
from sparsesum.corpus.prompt import Prompt, inference_prompt, training_text


def of_prompt(tokenizer_file: Path, prompt: Prompt) -> tuple[int, int]:
    """Tokens of the prompt without its text, "</s>" included; and those that follow a summary.

    What follows is the closing marker and the "</s>" that ends a text. Both are those around short
    texts: others may share a token more or less with what stands beside them. Raises an InputError
    where there is no tokenizer to count with.
    """
    from tokenizers import Tokenizer

    try:
        tokenizer = Tokenizer.from_file(str(tokenizer_file))
    except Exception as error:  # it has none of its own
        raise InputError(f"{tokenizer_file}: {error}") from None
    asked = len(tokenizer.encode(inference_prompt("A", prompt)).ids)
    return asked - 1, len(tokenizer.encode(training_text("A", "A", prompt)).ids) - asked


def check(
    config: dict[str, Any], model: str, positions: int, asked: int, closing: int, calibrates: bool
) -> None:
    """Raise an InputError if the longest sequence of a configuration exceeds a model's positions.

    asked, closing: from `of_prompt`, or 0 where there was no tokenizer yet; calibrates: whether a
    row's pruner looks at calibration sequences. Each stage checks what it really gets once more.
    """
    text, summary = config["tokens"]["text"], config["tokens"]["summary"]
    new = config["generate"]["max_new_tokens"]
    has = f"the {positions} positions of {model}"
    prompt = f" with {asked} of the prompt" if asked else ""
    if (longest := asked + text + summary + closing) > positions:
        marker = f" and {closing} of its end" if closing else ""
        raise InputError(
            f"key 'tokens': text {text} + summary {summary}{prompt}{marker} are {longest} tokens, "
            f"more than {has}; allowed for text + summary: {positions - asked - closing}"
        )
    if (longest := asked + text + new) > positions:
        raise InputError(
            f"key 'generate.max_new_tokens': {new} after tokens.text {text}{prompt} are {longest} "
            f"tokens, more than {has}; allowed for both together: {positions - asked}"
        )
    length = config["calibration"]["length"]
    if calibrates and length > positions:
        raise InputError(
            f"key 'calibration.length': {length} is more than {has}; allowed: up to {positions}"
        )
