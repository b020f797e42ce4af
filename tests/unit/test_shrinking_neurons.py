"""Fewer feed-forward neurons: which stay, how fc2 makes up for the others, what the model says."""

import math

import numpy as np
import oracles
import pytest
import torch
from oracles import PREFIX, problem
from shrunk import DEAD, SHAPES, logits, neurons_of, shrink, stock

from sparsesum.base.errors import InputError
from sparsesum.pruning import layerwise
from sparsesum.shrinking import feed_forward
from sparsesum.shrinking.kinds import neurons, random_neurons

pytestmark = pytest.mark.slow


@pytest.mark.parametrize("compensate", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_without_dead_neurons_a_model_says_the_same(shape, compensate, tmp_path):
    dense = oracles.make_model(shape)
    shrunk = stock(shrink(neurons, dense, 0.75, tmp_path, compensate=compensate))
    assert shrunk.config.ffn_dim == 24
    alive = sorted({*range(32)} - DEAD)
    state = shrunk.state_dict()
    for name, tensor in dense.state_dict().items():
        if ".fc1." in name:
            tensor = tensor[alive]
        elif name.endswith("fc2.weight"):
            tensor = tensor[:, alive]
        assert torch.equal(state[name], tensor), name
    torch.testing.assert_close(logits(shrunk), logits(dense), rtol=1e-4, atol=1e-4)


def naive_best(weight, inputs, count):
    """FASP's metric, one number at a time: weight [out, in], inputs [tokens, in]."""
    scores = []
    for j in range(weight.shape[1]):
        norm = math.sqrt(sum(float(x) ** 2 for x in inputs[:, j]))
        scores.append(sum(abs(float(w)) * norm for w in weight[:, j]))
    return sorted(sorted(range(len(scores)), key=lambda j: -scores[j])[:count])


@pytest.mark.parametrize("count", [1, 8, 16, 24])
@pytest.mark.parametrize("seed", range(4))
def test_the_best_neurons_as_a_loop_finds_them(seed, count):
    weight, inputs = problem(seed=seed)
    weight, inputs = weight.double(), torch.cat(inputs).double()
    found = neurons.best(weight, inputs.t() @ inputs, count)
    assert found.tolist() == naive_best(weight, inputs, count)


def test_the_score_is_a_sum_of_absolute_weights_times_the_norm():
    gram = torch.tensor([100.0, 4.0, 1.0, 1.0]).double().diag()
    weight = torch.tensor([[0.5, -2.0, 6.0, 4.0], [-0.5, 1.0, -1.0, 2.5]]).double()
    # Scores: 10, 6, 7, 6.5. Squared norms: 100, 12, 7, 6.5; a sum with signs: 0, 2, 5, 6.5; the
    # norm of the column for the sum: 7.1, 4.5, 6.1, 4.7.
    assert [neurons.best(weight, gram, n).tolist() for n in (1, 2, 3)] == [[0], [0, 2], [0, 2, 3]]
    assert neurons.best(torch.ones(2, 4).double(), torch.eye(4).double(), 2).tolist() == [0, 1]


@pytest.mark.parametrize("damping", [0.0, 0.01, 0.3])
@pytest.mark.parametrize("seed", range(3))
def test_compensation_is_least_squares(seed, damping):
    weight, inputs = problem(seed=seed)
    w, x = weight.double(), torch.cat(inputs).double()
    stay = torch.tensor([0, 1, 2, 3, 8, 10, 11, 16, 17, 20, 30])  # 1 and 17 are dead
    new = feed_forward.compensated(w, x.t() @ x, stay, damping).numpy()
    w, x, k = w.numpy(), x.numpy(), stay.numpy()
    alive = [place for place, j in enumerate(k) if j % 4 != 1]
    root = math.sqrt(damping * np.mean([(x[:, j] ** 2).sum() for j in k]))
    rows = np.concatenate([x[:, k[alive]], root * np.eye(len(alive))])
    wanted = np.concatenate([x @ w.T, root * w[:, k[alive]].T])
    expected = np.linalg.lstsq(rows, wanted, rcond=None)[0].T
    np.testing.assert_allclose(new[:, alive], expected, rtol=1e-8, atol=1e-10)
    assert (new[:, [1, 8]] == w[:, [1, 17]]).all()
    # It was worth it: the outputs are nearer than without.
    error = np.linalg.norm(x @ w.T - x[:, k] @ new.T)
    assert error < 0.999 * np.linalg.norm(x @ w.T - x[:, k] @ w[:, k].T)


def test_inputs_that_are_equal_are_refused_without_damping():
    gram = torch.ones(4, 4).double()
    weight, stay = torch.ones(2, 4).double(), torch.tensor([0, 1, 2])
    with pytest.raises(InputError, match="too much alike for damping 0: raise it"):
        feed_forward.compensated(weight, gram, stay, 0.0)
    assert feed_forward.compensated(weight, gram, stay, 1e-6).sum(1).tolist() == pytest.approx(
        [4, 4], abs=1e-5
    )


def walked(model, sequences, count, compensate=True, shrunk_inputs=True):
    """fc1's neurons and fc2 of each layer, in float64, by full passes and numpy's least squares."""
    dense, follow = oracles.Opt64(model), oracles.Opt64(model)
    hidden = [follow.embed(ids) for ids in sequences.numpy()]
    found = []
    for index in range(model.config.num_hidden_layers):
        name = f"{PREFIX}.{index}.fc2.weight"
        w = dense.w[name]
        x = np.concatenate([dense.layer(index, h)[1]["fc2"] for h in hidden])
        stay = naive_best(w, x, count)
        new = w[:, stay]
        if compensate:
            root = math.sqrt(0.01 * (x[:, stay] ** 2).sum(0).mean())
            rows = np.concatenate([x[:, stay], root * np.eye(count)])
            new = np.linalg.lstsq(rows, np.concatenate([x @ w.T, root * new.T]), rcond=None)[0].T
        follow.w[name] = np.zeros_like(w)
        follow.w[name][:, stay] = new
        found.append((stay, new))
        through = follow if shrunk_inputs else dense
        hidden = [through.layer(index, h)[0] for h in hidden]
    return found


@pytest.mark.parametrize("compensate", [True, False])
@pytest.mark.parametrize("shape", SHAPES)
def test_the_walk_as_the_definition_in_float64(shape, compensate, tmp_path, monkeypatch):
    # Batches of three, three and two sequences.
    monkeypatch.setitem(layerwise.TOKENS, "cpu", 3 * 24)
    dense = oracles.make_model(shape)
    shrunk = stock(shrink(neurons, dense, 0.5, tmp_path, compensate=compensate))
    expected = walked(dense, oracles.make_sequences(), 16, compensate)
    other = walked(dense, oracles.make_sequences(), 16, compensate, shrunk_inputs=False)
    for index, (stay, new) in enumerate(expected):
        layer = shrunk.model.decoder.layers[index]
        assert neurons_of(dense, shrunk, index) == stay
        assert torch.equal(layer.fc1.bias, dense.model.decoder.layers[index].fc1.bias[stay])
        found = layer.fc2.weight.detach().double().numpy()
        np.testing.assert_allclose(found, new, rtol=1e-4, atol=2e-4)
        if index and compensate:  # inputs of dense layers would have told another
            assert other[index][0] != stay or np.abs(other[index][1] - new).max() > 1e-3
    # All else is the dense model's.
    state = shrunk.state_dict()
    for name, tensor in dense.state_dict().items():
        if ".fc1." not in name and not name.endswith("fc2.weight"):
            assert torch.equal(state[name], tensor), name


def test_compensation_brings_the_model_nearer_to_the_dense_one(tmp_path):
    dense = oracles.make_model("pre")
    far = []
    for compensate in (True, False):
        folder = tmp_path / str(compensate)
        folder.mkdir()
        shrunk = stock(shrink(neurons, dense, 0.5, folder, compensate=compensate))
        far.append(float((logits(shrunk) - logits(dense)).norm()))
    assert far[0] < 0.9 * far[1]


def test_random_neurons_are_drawn_by_seed_for_each_layer(tmp_path):
    dense = oracles.make_model("pre")
    drawn = []
    for seed in range(4):
        folder = tmp_path / str(seed)
        folder.mkdir()
        options = {"seed": seed, "compensate": False}
        shrunk = stock(shrink(random_neurons, dense, 0.5, folder, **options))
        for index in range(3):
            stay = neurons_of(dense, shrunk, index)
            assert stay == sorted({*stay}) and len(stay) == 16
            fc2 = dense.model.decoder.layers[index].fc2.weight
            assert torch.equal(shrunk.model.decoder.layers[index].fc2.weight, fc2[:, stay])
            drawn.append(tuple(stay))
    assert len({*drawn}) == 12 and {j for stay in drawn for j in stay} == {*range(32)}


def test_random_neurons_are_compensated_as_the_best_are(tmp_path):
    dense, sequences = oracles.make_model("post"), oracles.make_sequences()
    shrunk = stock(shrink(random_neurons, dense, 0.5, tmp_path))
    stay = neurons_of(dense, shrunk, 0)
    x = torch.cat(oracles.linear_inputs(dense, sequences, 0)["fc2"]).double()
    fc2 = dense.model.decoder.layers[0].fc2.weight.double()
    expected = feed_forward.compensated(fc2, x.t() @ x, torch.tensor(stay), 0.01)
    found = shrunk.model.decoder.layers[0].fc2.weight.double()
    torch.testing.assert_close(found, expected, rtol=1e-3, atol=1e-4)
    assert (found - fc2[:, stay]).abs().max() > 0.01
