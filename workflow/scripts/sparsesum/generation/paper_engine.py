"""Generation as the paper had it: transformers' generate, bitsandbytes' int8 kernels, peft.

It takes seconds to import, and several times as long for a token as `decoding`.
"""

from typing import Any

import torch
from tokenizers import Tokenizer
from transformers import PreTrainedTokenizerFast

from sparsesum.generation.decoding import check_sound


@torch.inference_mode()
def greedy(
    model: Any,
    tokenizer: Tokenizer,
    limit: int,
    pad: int,
    end: int,
    stop: str,
    prompts: list[list[int]],
) -> list[list[int]]:
    """At most `limit` new tokens of each prompt, up to `stop` or the end token.

    An InputError where a logit is NaN or infinite.
    """
    width = max(map(len, prompts))
    device = next(model.parameters()).device
    ids = torch.tensor([[pad] * (width - len(prompt)) + prompt for prompt in prompts])
    seen = torch.tensor([[0] * (width - len(prompt)) + [1] * len(prompt) for prompt in prompts])
    sound = torch.ones((), dtype=torch.bool, device=device)

    def look(head: torch.nn.Module, args: tuple[Any, ...], logits: torch.Tensor) -> None:
        sound.logical_and_(logits[:, -1].amax(-1).isfinite().all())  # NaN where any is

    looking = model.get_output_embeddings().register_forward_hook(look)
    output = model.generate(
        input_ids=ids.to(device),
        attention_mask=seen.to(device),
        do_sample=False,
        num_beams=1,
        max_new_tokens=limit,
        eos_token_id=end,
        pad_token_id=pad,
        stop_strings=[stop],
        tokenizer=PreTrainedTokenizerFast(tokenizer_object=tokenizer),
    )
    looking.remove()
    check_sound(sound)
    return [_without_padding(row, pad) for row in output[:, width:].tolist()]


def _without_padding(row: list[int], pad: int) -> list[int]:
    """A row of a batch up to where its own sequence ended: the rest of the batch went on."""
    end = len(row)
    while end and row[end - 1] == pad:
        end -= 1
    return row[:end]
