"""Pretrain a miniature OPT model, and the tokenizer it reads with, on generated bills.

The shipped checkpoints in resources/models come from here (rule `pretrain`). They have read bills
and news about bills, never a summary and never the prompt, as the real OPT models had not.
"""

import math
from collections.abc import Callable
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.base import finite
from sparsesum.corpus.bills import STYLES
from sparsesum.corpus.prompt import training_text

SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>"]
"""The first ids of OPT's vocabulary, in its order."""
PAD, EOS = 1, 2


def document(rng: Random, markdown: float = 0.0) -> str:
    """One text to pretrain on: a bill followed by the news about it, or by its reprint.

    A share `markdown` of the documents is laid out with headings of Markdown, as real OPT has seen
    many: without them the token "###" of the prompt would be new to the model.
    """
    bill = STYLES["us" if rng.random() < 0.8 else "california"](rng)
    reprint = rng.random() < 0.1
    if rng.random() < markdown:
        second = bill.text if reprint else bill.news
        return f"### The Bill\n\n{bill.text}\n\n### The News\n\n{second}\n\n### The End\n"
    second = bill.text if reprint else f"NEWS\n{bill.news}"
    return f"{bill.text}\n{second}\n"


def train_tokenizer(vocabulary: int, seed: int, documents: int = 4000) -> Tokenizer:
    """A byte-level BPE tokenizer of OPT's kind: "</s>" (id 2) stands before every text."""
    tokenizer = Tokenizer(models.BPE(unk_token=None))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        special_tokens=SPECIAL_TOKENS,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    rng = Random(f"tokenizer {seed}")
    texts = [document(rng) for _ in range(documents)]
    # The real vocabulary knows the prompt's plain English; so must this one.
    texts += [training_text("", "")] * (documents // 2)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", EOS)]
    )
    return tokenizer


def batch(
    tokenizer: Tokenizer, rng: Random, size: int, positions: int, markdown: float = 0.0
) -> dict[str, torch.Tensor]:
    """`size` fresh documents, right-padded: input_ids, attention_mask, labels of [size, length]."""
    texts = [document(rng, markdown) for _ in range(size)]
    ids = [[*encoding.ids, EOS][:positions] for encoding in tokenizer.encode_batch(texts)]
    width = max(map(len, ids))
    padded = torch.tensor([row + [PAD] * (width - len(row)) for row in ids])
    mask = torch.tensor([[1] * len(row) + [0] * (width - len(row)) for row in ids])
    return {
        "input_ids": padded,
        "attention_mask": mask,
        "labels": padded.masked_fill(mask == 0, -100),
    }


def pretrain(
    shape: dict[str, Any],
    tokenizer: Tokenizer,
    folder: Path,
    *,
    rounds: list[dict[str, Any]],
    batch_size: int,
    seed: int,
    progress: Callable[[int, str], None],
) -> None:
    """Train an OPT model of `shape` (arguments of OPTConfig) from scratch; save it to `folder`.

    Documents are made on the fly, none is seen twice. Each round has its steps, learning_rate and
    share of `markdown` documents: AdamW from its beginning, linear warm-up over the first 4 %, then
    a cosine to zero; products in bfloat16. `progress` hears of each step. A round ends with weights
    in float16, as the Hub's OPT checkpoints are saved.
    """
    torch.manual_seed(seed)
    config = OPTConfig(
        vocab_size=tokenizer.get_vocab_size(), bos_token_id=EOS, eos_token_id=EOS, **shape
    )
    model = OPTForCausalLM(config).train()
    done = 0
    for number, settings in enumerate(rounds):

        def say(step: int, more: str, before: int = done) -> None:
            progress(before + step, more)

        _train_round(
            model.float(),
            tokenizer,
            Random(f"pretraining {seed + number}"),
            batch_size=batch_size,
            progress=say,
            **settings,
        )
        done += settings["steps"]
        model.half()
        finite.check(model.state_dict(), f"round {number}", "lower its learning_rate")
    model.save_pretrained(folder)
    tokenizer.save(str(Path(folder) / "tokenizer.json"))


def _train_round(
    model: OPTForCausalLM,
    tokenizer: Tokenizer,
    rng: Random,
    *,
    steps: int,
    learning_rate: float,
    markdown: float,
    batch_size: int,
    progress: Callable[[int, str], None],
) -> None:
    optimizer = torch.optim.AdamW(model.parameters(), learning_rate, weight_decay=0.01)
    warm_up = max(1, steps // 25)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer,
        lambda step: min((step + 1) / warm_up, 0.5 * (1 + math.cos(math.pi * step / steps))),
    )
    for step in range(1, steps + 1):
        inputs = batch(tokenizer, rng, batch_size, model.config.max_position_embeddings, markdown)
        with torch.autocast("cpu", torch.bfloat16):
            loss = model(**inputs).loss
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        schedule.step()
        optimizer.zero_grad()
        progress(step, f"loss {loss.item():.3f}")
