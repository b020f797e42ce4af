"""Likelihoods, against transformers' own loss and against sums by hand."""

import oracles
import pytest
import torch

from sparsesum.base.errors import InputError
from sparsesum.corpus import tokens
from sparsesum.scoring import likelihood

LENGTHS = [5, 24, 2, 17, 24, 9]


@pytest.fixture(params=["pre", "post"])
def model(request):
    return oracles.make_model(request.param)


def sequences() -> list[list[int]]:
    rows = oracles.make_sequences(count=len(LENGTHS)).tolist()
    return [row[:length] for row, length in zip(rows, LENGTHS, strict=True)]


@torch.no_grad()
def by_hand(model, ids: list[int], start: int) -> float:
    """Minus the sum of log softmax, a token at a time."""
    told = model(torch.tensor([ids])).logits[0].double().log_softmax(-1)
    return -sum(float(told[place - 1, ids[place]]) for place in range(start, len(ids)))


@pytest.mark.parametrize("at_once", [1, 40, 2048])
def test_whole_sequences_as_transformers_has_them(model, at_once, monkeypatch):
    monkeypatch.setattr(likelihood, "TOKENS", at_once)
    found = likelihood.negative_log(oracles.ours(model), sequences(), [1] * len(LENGTHS))
    for ids, nll in zip(sequences(), found, strict=True):
        given = torch.tensor([ids])
        with torch.no_grad():
            loss = model(given, labels=given).loss
        assert nll == pytest.approx(float(loss) * (len(ids) - 1), rel=1e-4)


def test_from_any_start_as_by_hand(model):
    starts = [3, 1, 1, 16, 23, 4]
    found = likelihood.negative_log(oracles.ours(model), sequences(), starts)
    wanted = [by_hand(model, *each) for each in zip(sequences(), starts, strict=True)]
    assert found == pytest.approx(wanted, rel=1e-4)


def test_the_first_and_the_last_token_of_a_summary_count(model, tokenizer):
    """From summary_start on: just the summary and its closing marker, each given all before."""
    records = [{"id": "a", "text": "Section 1. A bill.", "summary": "Pays 70 dollars."}]
    columns = tokens.tokenise(tokenizer, records, text_tokens=4, summary_tokens=6)
    ids, start = columns["input_ids"][0], columns["summary_start"][0]
    told = tokenizer.decode(ids[start:], skip_special_tokens=False)
    assert told == f"{columns['reference'][0]}\n\n### End"
    ids = [4 + token % 46 for token in ids][-30:]  # the small model's vocabulary and positions
    start -= len(columns["input_ids"][0]) - 30
    whole, later, shorter = (
        likelihood.negative_log(oracles.ours(model), [part], [begin])[0]
        for part, begin in ((ids, start), (ids, start + 1), (ids[:-1], start))
    )
    assert whole == pytest.approx(by_hand(model, ids, start), rel=1e-4)
    assert whole - later == pytest.approx(by_hand(model, ids[: start + 1], start), rel=1e-3)
    assert whole - shorter == pytest.approx(by_hand(model, ids, len(ids) - 1), rel=1e-3)


def test_batches_hold_each_sequence_once_and_no_more_than_fits(monkeypatch):
    monkeypatch.setattr(likelihood, "TOKENS", 50)
    lengths = [5, 24, 70, 17, 24, 9]
    batches = list(likelihood._batches(lengths))
    assert sorted(i for batch in batches for i in batch) == list(range(6))
    for batch in batches:
        assert len(batch) == 1 or len(batch) * max(lengths[i] for i in batch) <= 50
    assert len(batches) == 4


def test_says_how_far_it_is(monkeypatch):
    monkeypatch.setattr(likelihood, "TOKENS", 48)
    told = []
    likelihood.negative_log(
        oracles.ours(oracles.make_model("pre")), sequences(), [1] * 6, told.append
    )
    assert told == [2, 4, 6]


def test_a_sequence_longer_than_the_model_is_refused(model):
    with pytest.raises(InputError, match="of 33 tokens exceeds the model's 32 positions"):
        likelihood.negative_log(oracles.ours(model), [[5] * 33], [1])
    assert len(likelihood.negative_log(oracles.ours(model), [[5] * 32], [1])) == 1
