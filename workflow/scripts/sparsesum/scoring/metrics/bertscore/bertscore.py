"""BERTScore as a local `evaluate` module: the Hub's own would have to be fetched as code.

`evaluate` reads the imports below line by line: only a plain `import name` is safe.

The mathematics is bert-score 0.3.13's. What stands around it there is replaced, because it
- loads an encoder whose path has "t5" anywhere in it as a T5, and takes pickled weights;
- knows eight kinds of encoders, and takes one whose files lack weights, or have no tokenizer;
- asks RoBERTa's tokenizer for a leading blank at each call, which transformers 5 ignores;
- fails on a text longer than the encoder where the tokenizer names no limit, and on a blank text;
- forms its batches in the order of a set of strings, so that scores change with Python's hash seed.
"""

import collections
from typing import Any

import bert_score
import datasets
import evaluate
import torch

import sparsesum.base.errors
import sparsesum.scoring.hidden_states


class BertScore(evaluate.Metric):
    """Precision, recall and F1 of each example, about -1..1 and mostly 0..1: no rescaling, no idf.

    Arguments of `compute`, beside predictions and references: `encoder` (str), a folder with any
    encoder of transformers in safetensors; `num_layers`, how many of its layers to run;
    `batch_size`, in examples; `device` runs the encoder. Texts are cut to what the encoder holds.
    A blank prediction or reference scores 0, a prediction that is its reference 1. InputError if
    the folder holds no such encoder, it has fewer layers, or a hidden state that is no finite
    number.
    Source: Zhang et al. 2020, arXiv 1904.09675, section 3. As in bert-score, [CLS] and [SEP] can
    be matched but are not themselves counted.
    """

    def _info(self) -> evaluate.MetricInfo:
        text = datasets.Value("string")
        return evaluate.MetricInfo(
            description="BERTScore per example",
            citation="Zhang et al. 2020, https://arxiv.org/abs/1904.09675",
            features=datasets.Features({"predictions": text, "references": text}),
        )

    def _compute(
        self,
        predictions: list[str],
        references: list[str],
        encoder: str,
        num_layers: int,
        batch_size: int = 32,
        device: str = "cpu",
    ) -> dict[str, list[float]]:
        model, tokenizer = sparsesum.scoring.hidden_states.load(encoder, num_layers, device)
        weights = collections.defaultdict(lambda: 1.0)
        weights[tokenizer.cls_token_id] = weights[tokenizer.sep_token_id] = 0.0

        pairs = list(zip(predictions, references, strict=True))
        full = [i for i, (left, right) in enumerate(pairs) if left.strip() and right.strip()]
        # Equal texts match each other token by token: the encoder need not run to say so.
        equal = {i for i in full if pairs[i][0] == pairs[i][1] and says(pairs[i][0], tokenizer)}
        full = [i for i in full if i not in equal]
        # Texts of like length together: a batch is padded to its longest. Ties keep their order.
        full.sort(key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
        scores = torch.zeros(3, len(pairs))
        scores[:, sorted(equal)] = 1.0
        for start in range(0, len(full), batch_size):
            batch = full[start : start + batch_size]
            left, right = (
                embed([pairs[i][side] for i in batch], encoder, model, tokenizer, weights, device)
                for side in (0, 1)
            )
            scores[:, batch] = torch.stack(bert_score.utils.greedy_cos_idf(*right, *left)).cpu()
        return dict(zip(("precision", "recall", "f1"), scores.tolist(), strict=True))


def says(text: str, tokenizer: Any) -> bool:
    """Whether a text has a token that counts: one of control characters alone has none."""
    return bool(tokenizer(text, add_special_tokens=False)["input_ids"])


def embed(
    texts: list[str], encoder: str, model: Any, tokenizer: Any, weights: dict[str, Any], device: str
) -> tuple[Any, ...]:
    """Embeddings (texts, tokens, width), mask and weights (texts, tokens) of one batch."""
    try:
        found = bert_score.utils.get_bert_embedding(texts, model, tokenizer, weights, device=device)
    except IndexError:
        raise sparsesum.base.errors.InputError(
            f"{encoder}: has no embedding for some token or position of the texts; take encoder "
            "and tokenizer from one source, or lower model_max_length in its tokenizer_config.json"
        ) from None
    if not found[0].isfinite().all():
        raise sparsesum.base.errors.InputError(
            f"{encoder}: its hidden states are not all finite numbers; choose another score.layer, "
            "or set score.encoder to another encoder"
        )
    return found
