"""Greedy decoding in batches: sorted by length, padded left, stopped at the closing marker."""

import logging
from pathlib import Path

import torch
from transformers import OPTForCausalLM, PreTrainedTokenizerFast

from sparsesum import checkpoints, quantisation
from sparsesum.errors import InputError
from sparsesum.files import read_json, write_json
from sparsesum.job import Progress
from sparsesum.prompt import PAPER, Prompt, prediction

log = logging.getLogger("sparsesum")

ENGINES = ["dense", "int8"]
"""How an int8 base is multiplied: made dense once at load, or by bitsandbytes' kernels."""


def load(
    checkpoint: Path,
    adapter: Path | None,
    engine: str,
    device: torch.device,
    dtype: torch.dtype = torch.float32,
) -> torch.nn.Module:
    """The model of a row, ready to generate.

    With an `adapter`, `checkpoint` is an int8 base. The dense engine dequantises it once and adds
    the adapter to it; the int8 engine leaves both to bitsandbytes and peft, which it imports.
    """
    if adapter is None:
        return checkpoints.load(checkpoint, dtype).to(device)
    if engine == "int8":
        from peft import PeftModel

        base = quantisation.load(checkpoint, device, dtype)
        model = PeftModel.from_pretrained(base, adapter)
        for name, parameter in model.named_parameters():
            if "lora_" in name:  # peft keeps float32, which would raise all that follows to it
                parameter.data = parameter.data.to(dtype)
        return model.eval()
    config = checkpoints.read_config(checkpoint)
    del config.quantization_config
    state = quantisation.merged(quantisation.dequantise(checkpoints.state(checkpoint)), adapter)
    state["lm_head.weight"] = state["model.decoder.embed_tokens.weight"]
    with torch.device("meta"):
        model = OPTForCausalLM(config)
    model.load_state_dict(state, strict=True, assign=True)
    model.tie_weights()
    return model.to(device, dtype).eval()


def tokenizer(file: Path) -> PreTrainedTokenizerFast:
    """The tokenizer of a checkpoint as generation needs it: padding on the left."""
    return PreTrainedTokenizerFast(
        tokenizer_file=str(file), pad_token="<pad>", eos_token="</s>", padding_side="left"
    )


@torch.inference_mode()
def generate(
    model: torch.nn.Module,
    tokenizer: PreTrainedTokenizerFast,
    prompts: list[list[int]],
    batch_size: int,
    max_new_tokens: int,
    progress: Progress | None = None,
    stop: str = PAPER.stop,
    notes: Path | None = None,
) -> list[list[int]]:
    """The new tokens of each prompt, in the prompts' order, by greedy decoding.

    Each finished batch is kept in the folder `notes`, if there is one; those that a broken off run
    of the same arguments left there are not generated again.

    A sequence ends at `stop` or "</s>" (both kept in what is returned) or at the limit. An
    InputError where a prompt and its new tokens exceed the model's positions.
    """
    longest = max(map(len, prompts))
    positions = model.config.max_position_embeddings
    if longest + max_new_tokens > positions:
        raise InputError(
            f"a prompt of {longest} tokens and generate.max_new_tokens = {max_new_tokens} exceed "
            f"the model's {positions} positions; lower tokens.text or generate.max_new_tokens"
        )
    order = sorted(range(len(prompts)), key=lambda i: len(prompts[i]), reverse=True)
    results: list[list[int]] = [[] for _ in prompts]
    device = next(model.parameters()).device
    there = [] if notes is None else list(notes.glob("batch-*.json"))
    if there and progress is not None:
        progress.skip(min(len(there) * batch_size, len(order)))
    for start in range(0, len(order), batch_size):
        chosen = order[start : start + batch_size]
        done = start + len(chosen)
        note = notes and notes / f"batch-{start}.json"
        if note in there:
            rows = read_json(note)
        else:
            inputs = tokenizer.pad(
                {"input_ids": [prompts[i] for i in chosen]}, padding="longest", return_tensors="pt"
            ).to(device)
            width = inputs["input_ids"].shape[1]
            output = model.generate(
                input_ids=inputs["input_ids"],
                attention_mask=inputs["attention_mask"],
                do_sample=False,
                num_beams=1,
                max_new_tokens=max_new_tokens,
                eos_token_id=tokenizer.eos_token_id,
                pad_token_id=tokenizer.pad_token_id,
                stop_strings=[stop],
                tokenizer=tokenizer,
            )
            rows = [_without_padding(row, tokenizer) for row in output[:, width:].tolist()]
            if note:
                write_json(note, rows)
            if progress is not None:
                progress(done)
        for i, row in zip(chosen, rows, strict=True):
            results[i] = row
    return results


def _without_padding(row: list[int], tokenizer: PreTrainedTokenizerFast) -> list[int]:
    """A row of a batch up to where its own sequence ended: the rest of the batch went on."""
    end = len(row)
    while end and row[end - 1] == tokenizer.pad_token_id:
        end -= 1
    return row[:end]


def records(
    tokens: dict[str, list],
    generated: list[list[int]],
    tokenizer: PreTrainedTokenizerFast,
    max_new_tokens: int,
    prompt: Prompt = PAPER,
) -> list[dict]:
    """One record an example: id, prompt_tokens, tokens (new ones), cut_off, prediction, reference.

    `cut_off`: the limit was reached before the model ended its summary.
    """
    rows = []
    for i, ids in enumerate(generated):
        text = tokenizer.decode(ids, skip_special_tokens=True)
        ended = prompt.stop in text or tokenizer.eos_token_id in ids
        rows.append(
            {
                "id": tokens["id"][i],
                "prompt_tokens": len(tokens["prompt_ids"][i]),
                "tokens": len(ids),
                "cut_off": len(ids) >= max_new_tokens and not ended,
                "prediction": prediction(text, prompt),
                "reference": tokens["reference"][i],
            }
        )
    return rows
