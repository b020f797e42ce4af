"""Pretraining of the miniature models, at a smaller size."""

from pathlib import Path
from random import Random

import pytest
import torch

from sparsesum.models import checkpoints, pretraining

SHAPE = {
    "hidden_size": 32,
    "ffn_dim": 64,
    "num_hidden_layers": 1,
    "num_attention_heads": 2,
    "max_position_embeddings": 512,
    "word_embed_proj_dim": 16,
    "do_layer_norm_before": False,
    "dropout": 0.0,
}


def test_documents_hold_no_summary_and_no_prompt():
    rng = Random(1)
    for i in range(100):
        document = pretraining.document(rng, markdown=i % 2)
        assert "### Output" not in document and "### End" not in document
        assert " - Authorizes" not in document


def test_a_share_of_the_documents_is_markdown():
    rng = Random(1)
    count = sum("### The End" in pretraining.document(rng, 0.25) for _ in range(400))
    assert 70 < count < 130
    assert not any("###" in pretraining.document(rng, 0) for _ in range(400))


def test_the_vocabulary_is_of_opts_kind(tokenizer):
    assert [tokenizer.id_to_token(i) for i in range(4)] == pretraining.SPECIAL_TOKENS
    text = "The Halbert Act, $12,000 é\n"
    ids = tokenizer.encode(text).ids
    assert ids[0] == 2 and tokenizer.decode(ids) == text


def test_a_batch_is_padded_and_padding_is_not_learned(tokenizer):
    documents = pretraining.batches(tokenizer, Random(1), 4, 512)
    padded = total = 0
    for _ in range(2 * pretraining.POOL):
        ids, labels = next(documents)
        padding = ids == pretraining.PAD
        assert ids.shape == labels.shape and len(ids) == 4 and ids.shape[1] <= 512
        assert (labels[padding] == pretraining.IGNORED).all()
        assert torch.equal(labels[~padding], ids[~padding])
        padded, total = padded + int(padding.sum()), total + ids.numel()
    assert 0 < padded < 0.1 * total  # documents of like length together


def test_retellings_stand_after_their_bill():
    rng = Random(2)
    found = [pretraining.document(rng) for _ in range(300)]
    for heading in ("\nNEWS\n", "\nLETTER\nDear ", "\nFACTS\n", "\nREPRINT\n"):
        share = sum(heading in text for text in found) / len(found)
        assert 0.04 < share < 0.8, heading
    with_facts = [text for text in found if "\nFACTS\n" in text and "SECTION 1. SHORT" in text]
    first = {text.partition("\nFACTS\n")[2].partition(":")[0] for text in with_facts}
    assert len(first) > 5  # in any order


@pytest.mark.filterwarnings("ignore")
def test_the_loss_falls_and_the_same_seed_gives_the_same_bytes(tokenizer, tmp_path: Path):
    said = []
    for run in ("a", "b"):
        pretraining.pretrain(
            SHAPE,
            tokenizer,
            tmp_path / run,
            steps=12,
            learning_rate=1e-2,
            warmup=0.2,
            markdown=0.5,
            batch_size=4,
            seed=1,
            progress=lambda step, more: said.append(float(more.split()[1])),
        )
    assert said[11] < said[0] - 0.5
    files = [tmp_path / run / "model.safetensors" for run in ("a", "b")]
    assert files[0].read_bytes() == files[1].read_bytes()
    assert checkpoints.load(tmp_path / "a").config.word_embed_proj_dim == 16
    assert {t.dtype for t in checkpoints.state(tmp_path / "a").values()} == {torch.float16}
