"""Fewer decoder layers: which stay, by cosine, by perplexity and at random."""

import copy
import math
from itertools import pairwise

import numpy as np
import oracles
import pytest
import torch
from shrunk import SHAPES, logits, shrink, stock

from sparsesum.base.errors import InputError
from sparsesum.models import checkpoints
from sparsesum.shrinking.cut import Given
from sparsesum.shrinking.kinds import layers, random_layers

pytestmark = pytest.mark.slow


def without(model, gone):
    """A copy of a stock model with some layers taken out of its list."""
    other = copy.deepcopy(model)
    stay = [layer for i, layer in enumerate(other.model.decoder.layers) if i not in gone]
    other.model.decoder.layers = torch.nn.ModuleList(stay)
    other.config.num_hidden_layers = len(stay)
    return other


def perplexity(model):
    """Of `make_sequences`, whose mean loss is that of all tokens: they are of one length."""
    with torch.no_grad():
        ids = oracles.make_sequences()
        return float(model.double()(ids, labels=ids, use_cache=False).loss.exp())


def cosines(model):
    """The mean cosine of each layer's input and output, in float64, a token at a time."""
    opt = oracles.Opt64(model)
    hidden = [opt.embed(ids) for ids in oracles.make_sequences().numpy()]
    found = []
    for index in range(model.config.num_hidden_layers):
        after = [opt.layer(index, x)[0] for x in hidden]
        pairs = zip(np.concatenate(hidden), np.concatenate(after), strict=True)
        found.append(np.mean([a @ b / np.linalg.norm(a) / np.linalg.norm(b) for a, b in pairs]))
        hidden = after
    return found


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(2))
def test_by_cosine_those_go_that_turn_their_inputs_least(seed, shape, tmp_path):
    dense = oracles.make_model(shape, layers=6, seed=seed)
    expected = cosines(dense)
    checkpoints.save(dense, tmp_path / "source")
    given = Given(oracles.make_sequences())
    found = layers.influences(tmp_path / "source", tmp_path / "x", given.sequences, given)
    assert found == pytest.approx([1 - value for value in expected], abs=1e-5)
    gone = sorted(range(6), key=lambda i: -expected[i])[:3]
    shrunk = stock(shrink(layers, dense, 0.5, tmp_path, by="cosine"))
    assert torch.equal(logits(shrunk), logits(without(dense, gone)))


def greedy(model, count):
    """The layers that go, one after the other, each time by the perplexity of whole models."""
    gone = []
    for _ in range(count):
        left = [i for i in range(model.config.num_hidden_layers) if i not in gone]
        scores = {i: perplexity(without(model, [*gone, i])) for i in left}
        assert min(b - a for a, b in pairwise(sorted(scores.values()))) > 1e-4  # no ties
        gone.append(min(left, key=scores.__getitem__))
    return gone


@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("seed", range(2))
def test_by_perplexity_the_one_goes_that_is_missed_least(seed, shape, tmp_path, monkeypatch):
    monkeypatch.setattr(layers, "TOKENS", 3 * 24)  # batches of three, three and two sequences
    dense = oracles.make_model(shape, layers=6, seed=seed)
    told = []
    report = lambda *args: told.append(args)  # noqa: E731 - as short as it is
    gone = greedy(dense, 3)
    shrunk = stock(shrink(layers, dense, 0.5, tmp_path, report=report))
    assert told == [(i + 1, f"layer {index} goes") for i, index in enumerate(gone)]
    assert torch.equal(logits(shrunk), logits(without(dense, gone)))


def test_each_removal_looks_anew():
    """Or the brute force above would show nothing: in some model the ranks change."""
    changed = 0
    for seed in range(4):
        dense = oracles.make_model("pre", layers=6, seed=seed)
        once = sorted(range(6), key=lambda i: perplexity(without(dense, [i])))[:3]
        changed += {*greedy(dense, 3)} != {*once}
    assert changed


def test_the_loss_without_a_layer_is_that_of_the_model_without_it(tmp_path):
    dense = oracles.make_model("post", layers=4)
    ids = oracles.make_sequences()
    found = layers._without_each(oracles.ours(dense), [0, 2, 3], ids)
    expected = [math.log(perplexity(without(dense, [1, i]))) for i in (0, 2, 3)]
    assert np.array(found) / (len(ids) * (ids.shape[1] - 1)) == pytest.approx(expected, rel=1e-5)


def test_a_perplexity_needs_a_second_token(tmp_path):
    checkpoints.save(oracles.make_model("pre"), tmp_path)
    with pytest.raises(InputError, match=r"calibration\.length = 1, .* raise it"):
        layers.shrink(tmp_path, tmp_path / "draft", 0.5, Given(torch.full((3, 1), 7)))


def test_another_way_to_choose_layers_is_refused(tmp_path):
    with pytest.raises(InputError, match="layers by 'luck'; allowed are cosine and perplexity"):
        shrink(layers, oracles.make_model("pre"), 0.5, tmp_path, by="luck")


@pytest.mark.parametrize("shape", SHAPES)
def test_random_layers_are_drawn_by_seed_and_stay_in_order(shape, tmp_path):
    dense = oracles.make_model(shape, layers=6)
    weights = [layer.fc1.weight for layer in dense.model.decoder.layers]
    drawn = set()
    for seed in range(8):
        folder = tmp_path / str(seed)
        folder.mkdir()
        shrunk = stock(shrink(random_layers, dense, 0.5, folder, seed=seed))
        stay = [
            [torch.equal(layer.fc1.weight, weight) for weight in weights].index(True)
            for layer in shrunk.model.decoder.layers
        ]
        assert stay == sorted(stay) and len({*stay}) == 3
        assert torch.equal(logits(shrunk), logits(without(dense, {*range(6)} - {*stay})))
        drawn.add(tuple(stay))
    assert len(drawn) > 4 and {i for stay in drawn for i in stay} == {*range(6)}
