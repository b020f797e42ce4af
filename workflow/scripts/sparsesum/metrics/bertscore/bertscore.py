"""BERTScore as a local `evaluate` module: the Hub's own would have to be fetched as code.

`evaluate` reads the imports below line by line: only a plain `import name` is safe.

The mathematics is bert-score 0.3.13's. What stands around it there is replaced, because it
- loads an encoder whose path has "t5" anywhere in it as a T5, and takes pickled weights;
- asks RoBERTa's tokenizer for a leading blank at each call, which transformers 5 ignores;
- fails on a text longer than the encoder where the tokenizer names no limit, and on a blank text;
- forms its batches in the order of a set of strings, so that scores change with Python's hash seed.
"""

import collections
import pathlib

import bert_score
import datasets
import evaluate
import torch
import transformers


class BertScore(evaluate.Metric):
    """Precision, recall and F1 of each example, about -1..1 and mostly 0..1: no rescaling, no idf.

    Arguments of `compute`, beside predictions and references: `encoder` (str), a folder with a
    BERT or RoBERTa in safetensors; `num_layers`, how many of its layers to run; `batch_size`, in
    examples; `device` runs the encoder. Texts are cut to what the encoder holds.
    A blank prediction or reference scores 0. ValueError if the encoder has fewer layers; OSError
    if it has no safetensors.
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
        model, tokenizer = load(encoder, num_layers, device)
        weights = collections.defaultdict(lambda: 1.0)
        weights[tokenizer.cls_token_id] = weights[tokenizer.sep_token_id] = 0.0

        pairs = list(zip(predictions, references, strict=True))
        full = [i for i, (left, right) in enumerate(pairs) if left.strip() and right.strip()]
        # Texts of like length together: a batch is padded to its longest. Ties keep their order.
        full.sort(key=lambda i: len(pairs[i][0]) + len(pairs[i][1]))
        scores = torch.zeros(3, len(pairs))
        for start in range(0, len(full), batch_size):
            batch = full[start : start + batch_size]
            left, right = (
                embed([pairs[i][side] for i in batch], model, tokenizer, weights, device)
                for side in (0, 1)
            )
            scores[:, batch] = torch.stack(bert_score.utils.greedy_cos_idf(*right, *left)).cpu()
        return dict(zip(("precision", "recall", "f1"), scores.tolist(), strict=True))


def load(encoder: str, num_layers: int, device: str) -> tuple:
    """The encoder's first layers, and a tokenizer that knows how many tokens they can take."""
    if not pathlib.Path(encoder).is_dir():
        raise OSError(f"{encoder}: no such folder")
    transformers.utils.logging.disable_progress_bar()
    # add_prefix_space: bert-score's choice for RoBERTa; others know no such option.
    tokenizer = transformers.AutoTokenizer.from_pretrained(
        encoder, local_files_only=True, trust_remote_code=False, add_prefix_space=True
    )
    model = transformers.AutoModel.from_pretrained(
        encoder,
        local_files_only=True,
        trust_remote_code=False,
        use_safetensors=True,
        dtype=torch.float32,
    )
    layers = model.encoder.layer
    if not 0 <= num_layers <= len(layers):
        raise ValueError(f"{encoder}: has {len(layers)} layers, {num_layers} were asked for")
    model.encoder.layer = layers[:num_layers]
    # RoBERTa counts positions from behind its padding index.
    first = getattr(model.embeddings, "padding_idx", -1) + 1
    tokenizer.model_max_length = min(
        tokenizer.model_max_length, model.config.max_position_embeddings - first
    )
    return model.eval().to(device), tokenizer


def embed(texts: list[str], model, tokenizer, weights: dict, device: str) -> tuple:
    """Embeddings (texts, tokens, width), mask and weights (texts, tokens) of one batch."""
    return bert_score.utils.get_bert_embedding(texts, model, tokenizer, weights, device=device)
