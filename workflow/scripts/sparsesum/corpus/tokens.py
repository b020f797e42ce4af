"""Records turned into token ids: what is trained on, and what is asked at inference."""

from collections.abc import Iterable
from typing import Any

from tokenizers import Tokenizer

from sparsesum.corpus.prompt import PAPER, Prompt, inference_prompt, training_text
from sparsesum.corpus.surrogates import clean
from sparsesum.corpus.texts import first_ids


def truncate(tokenizer: Tokenizer, text: str, limit: int) -> str:
    """The text of the first `limit` tokens of `text` (the "</s>" in front does not count)."""
    ids = first_ids(tokenizer, text, limit + 1)
    return text if len(ids) <= limit else tokenizer.decode(ids[:limit], skip_special_tokens=False)


def tokenise(
    tokenizer: Tokenizer,
    records: Iterable[dict[str, Any]],
    text_tokens: int,
    summary_tokens: int,
    template: Prompt = PAPER,
) -> dict[str, list[Any]]:
    """Columns of one row a record.

    id; input_ids: prompt, summary, closing marker; summary_start: the index of the first token in
    input_ids that is not the prompt's; prompt_ids: the prompt as asked at inference; reference:
    the summary. Text and summary are truncated first (paper, section 3: 1,024 and 128 tokens), the
    reference with them.
    """
    columns: dict[str, list[Any]] = {
        name: [] for name in ("id", "input_ids", "summary_start", "prompt_ids", "reference")
    }
    for record in records:
        text = truncate(tokenizer, clean(record["text"]), text_tokens)
        summary = truncate(tokenizer, clean(record["summary"]).strip(), summary_tokens)
        prompt = inference_prompt(text, template)
        whole = tokenizer.encode(training_text(text, summary, template))
        start = next(
            index
            for index, (begin, end) in enumerate(whole.offsets)
            if begin >= len(prompt) and end > begin
        )
        columns["id"].append(record["id"])
        columns["input_ids"].append(whole.ids)
        columns["summary_start"].append(start)
        columns["prompt_ids"].append(tokenizer.encode(prompt).ids)
        columns["reference"].append(summary)
    return columns
