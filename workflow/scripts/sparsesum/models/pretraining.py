"""Pretrain a miniature OPT model, and the tokenizer it reads with, on generated bills.

The shipped checkpoints in resources/models come from here (rule `pretrain`). They have read bills
and retellings of bills, never a summary and never the prompt, as the real OPT models had not.
"""

import math
from collections.abc import Callable, Iterator
from pathlib import Path
from random import Random
from typing import Any

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from torch.nn.functional import cross_entropy
from transformers import OPTConfig, OPTForCausalLM

from sparsesum.base import finite
from sparsesum.corpus.bills import STYLES, person
from sparsesum.corpus.prompt import training_text

SPECIAL_TOKENS = ["<s>", "<pad>", "</s>", "<unk>"]
"""The first ids of OPT's vocabulary, in its order."""
PAD, EOS = 1, 2
IGNORED = -100

POOL = 16
"""So many batches' documents are sorted by length together."""


def document(rng: Random, markdown: float = 0.0) -> str:
    """One text to pretrain on: a bill, and after it some of its retellings, or its reprint.

    A share `markdown` of the documents is laid out with headings of Markdown, as real OPT has seen
    many: without them the token "###" of the prompt would be new to the model.
    """
    bill = STYLES["us" if rng.random() < 0.8 else "california"](rng)
    facts = [f"{label}: {value}" for label, value in bill.facts.items()]
    rng.shuffle(facts)
    told = [
        ("News", bill.news),
        ("Letter", f"Dear {person(rng)},\n{bill.letter}\n{person(rng)}"),
        ("Facts", "\n".join(facts)),
    ]
    told = rng.sample(told, rng.randint(1, len(told)))
    if rng.random() < 0.1:
        told[0] = ("Reprint", bill.text)
    if rng.random() < markdown:
        sections = "".join(f"### The {heading}\n\n{text}\n\n" for heading, text in told)
        return f"### The Bill\n\n{bill.text}\n\n{sections}### The End\n"
    return bill.text + "".join(f"\n{heading.upper()}\n{text}\n" for heading, text in told)


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
    texts = [document(rng, 0.3) for _ in range(documents)]
    # The real vocabulary knows the prompt's plain English; so must this one.
    texts += [training_text("", "")] * (documents // 2)
    tokenizer.train_from_iterator(texts, trainer)
    tokenizer.post_processor = processors.TemplateProcessing(
        single="</s> $A", special_tokens=[("</s>", EOS)]
    )
    return tokenizer


def batches(
    tokenizer: Tokenizer, rng: Random, size: int, positions: int, markdown: float = 0.0
) -> Iterator[tuple[torch.Tensor, torch.Tensor]]:
    """Fresh documents without end, `size` at a time: token ids and labels, [size, length] each.

    Documents of like length are together; padding, on the right, is not learned.
    """
    while True:
        texts = [document(rng, markdown) for _ in range(size * POOL)]
        rows = sorted(
            ([*encoding.ids, EOS][:positions] for encoding in tokenizer.encode_batch(texts)),
            key=len,
        )
        groups = [rows[i : i + size] for i in range(0, len(rows), size)]
        rng.shuffle(groups)
        for group in groups:
            width = max(map(len, group))
            yield (
                torch.tensor([row + [PAD] * (width - len(row)) for row in group]),
                torch.tensor([row + [IGNORED] * (width - len(row)) for row in group]),
            )


def pretrain(
    shape: dict[str, Any],
    tokenizer: Tokenizer,
    folder: Path,
    *,
    steps: int,
    learning_rate: float,
    warmup: float,
    markdown: float,
    batch_size: int,
    seed: int,
    progress: Callable[[int, str], None],
) -> None:
    """Train an OPT model of `shape` (arguments of OPTConfig) from scratch; save it to `folder`.

    Documents are made on the fly, none is seen twice. The matrices of the decoder's layers are
    trained by Muon, which needs a fraction of AdamW's steps, and all else by AdamW; the rate rises
    over the first `warmup` of the steps (0..1), then falls as a cosine to zero; products in
    bfloat16. `progress` hears of each step. The weights are saved in float16, as the Hub's OPT
    checkpoints are.
    Source: Jordan et al. 2024, "Muon"; its rate as AdamW's: Liu et al., arXiv 2502.16982.
    """
    torch.manual_seed(seed)
    config = OPTConfig(
        vocab_size=tokenizer.get_vocab_size(), bos_token_id=EOS, eos_token_id=EOS, **shape
    )
    model = OPTForCausalLM(config).train()
    model.config.use_cache = False
    matrices, others = [], []  # type: list[Any], list[Any]
    for name, parameter in model.named_parameters():
        (matrices if parameter.dim() == 2 and ".layers." in name else others).append(parameter)
    optimizers: list[torch.optim.Optimizer] = [
        torch.optim.Muon(
            matrices,
            lr=learning_rate,
            weight_decay=0.01,
            momentum=0.95,
            adjust_lr_fn="match_rms_adamw",
        ),
        torch.optim.AdamW(others, learning_rate, weight_decay=0.01, betas=(0.9, 0.98)),
    ]
    rising = max(1, int(steps * warmup))

    def rate(step: int) -> float:
        return min((step + 1) / rising, 0.5 * (1 + math.cos(math.pi * step / steps)))

    schedules = [torch.optim.lr_scheduler.LambdaLR(each, rate) for each in optimizers]
    positions = config.max_position_embeddings
    documents = batches(tokenizer, Random(f"pretraining {seed}"), batch_size, positions, markdown)
    for step in range(1, steps + 1):
        ids, labels = next(documents)
        with torch.autocast("cpu", torch.bfloat16):
            # Without a mask: no token looks to its right, where the padding is.
            logits = model.lm_head(model.model(input_ids=ids)[0])[:, :-1]
            loss = cross_entropy(
                logits.flatten(0, 1).float(), labels[:, 1:].flatten(), ignore_index=IGNORED
            )
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        for optimizer, schedule in zip(optimizers, schedules, strict=True):
            optimizer.step()
            schedule.step()
        model.zero_grad()
        progress(step, f"loss {loss.item():.3f}")
    model.config.use_cache = True
    model.half()
    finite.check(model.state_dict(), "after pretraining", "lower its learning_rate")
    model.save_pretrained(folder)
    tokenizer.save(str(Path(folder) / "tokenizer.json"))
