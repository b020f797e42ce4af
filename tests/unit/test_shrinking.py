"""Shrunk checkpoints of both OPT shapes: what stays, what they say; transformers loads them."""

import copy
import json
import math
from itertools import pairwise
from pathlib import Path

import numpy as np
import oracles
import pytest
import torch
from oracles import PREFIX, problem
from transformers import OPTForCausalLM

from sparsesum.base.errors import InputError
from sparsesum.models import checkpoints, parameters, sizes
from sparsesum.pruning import layerwise
from sparsesum.shrinking import cut, feed_forward
from sparsesum.shrinking.cut import Given
from sparsesum.shrinking.kinds import layers, neurons, random_layers, random_neurons

pytestmark = pytest.mark.slow

SHAPES = ["pre", "post"]
PAPER = Path(__file__).resolve().parents[2] / "resources" / "paper"
DEAD = set(range(1, 32, 4))
"""The neurons of `oracles.make_model` that never fire."""
KINDS = {
    "neurons": (neurons, 0.5, {}),
    "random_neurons": (random_neurons, 0.5, {}),
    "layers by perplexity": (layers, 0.7, {}),
    "layers by cosine": (layers, 0.7, {"by": "cosine"}),
    "random_layers": (random_layers, 0.7, {}),
}


def shrink(kind, model, amount, folder, *, device="cpu", report=cut._silent, **options):
    """The folder of the shrunk form of a model in memory."""
    source, draft = folder / "dense", folder / "shrunk"
    checkpoints.save(model, source)
    draft.mkdir()
    given = Given(oracles.make_sequences(), device=device, report=report)
    kind.shrink(source, draft, amount, given, **options)
    assert sorted(path.name for path in draft.iterdir()) == ["config.json", "model.safetensors"]
    return draft


def stock(folder):
    """The model as transformers loads it, with nothing missing, left over or of another shape."""
    model, found = OPTForCausalLM.from_pretrained(folder, output_loading_info=True)
    assert not any(found.values()), found
    assert {parameter.dtype for parameter in model.parameters()} == {torch.float32}
    return model.eval()


@torch.no_grad()
def logits(model):
    return model(oracles.make_sequences(), use_cache=False).logits


def neurons_of(dense, shrunk, index):
    """Which neurons of a dense layer stay: their rows of fc1, to the bit."""
    rows = dense.model.decoder.layers[index].fc1.weight
    return [
        [torch.equal(row, other) for other in rows].index(True)
        for row in shrunk.model.decoder.layers[index].fc1.weight
    ]


# All kinds.


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("shape", SHAPES)
def test_the_file_is_as_transformers_writes_it_and_the_same_twice(shape, kind, tmp_path):
    module, amount, options = KINDS[kind]
    written = []
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        folder = shrink(module, oracles.make_model(shape), amount, tmp_path / name, **options)
        written.append((folder / "model.safetensors").read_bytes())
    model = stock(folder)
    checkpoints.save(model, tmp_path / "saved")
    assert written == [(tmp_path / "saved" / "model.safetensors").read_bytes()] * 2
    config = json.loads((folder / "config.json").read_text())
    saved = json.loads((tmp_path / "saved" / "config.json").read_text())
    assert config == saved
    file = folder / "model.safetensors"
    assert parameters.count(config) == sizes.parameters([file])
    assert sizes.parameters([file]) < sizes.parameters([tmp_path / "one/dense/model.safetensors"])


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "switch", ["tie_word_embeddings", "enable_bias", "layer_norm_elementwise_affine"]
)
def test_other_shapes_of_opt(switch, kind, tmp_path):
    config = oracles.make_model("pre").config
    config.update({switch: False})
    torch.manual_seed(0)
    dense = OPTForCausalLM(config)
    module, amount, options = KINDS[kind]
    shrunk = stock(shrink(module, dense, amount, tmp_path, **options))
    assert torch.equal(shrunk.lm_head.weight, dense.lm_head.weight)
    assert (shrunk.lm_head.weight is shrunk.get_input_embeddings().weight) == (
        switch != "tie_word_embeddings"
    )


def test_a_head_that_repeats_the_embedding_is_not_copied(tmp_path):
    from safetensors.torch import load_file, save_file

    folder = shrink(random_layers, oracles.make_model("pre"), 0.5, tmp_path)
    before = (folder / "model.safetensors").read_bytes()
    file = tmp_path / "dense" / "model.safetensors"
    state = load_file(file)
    head = state["model.decoder.embed_tokens.weight"].clone()
    save_file(state | {"lm_head.weight": head}, file, {"format": "pt"})
    random_layers.shrink(tmp_path / "dense", folder, 0.5, Given())
    assert (folder / "model.safetensors").read_bytes() == before


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("amount", [0.0, 1.0, 0.01, 1.5, -0.5, math.nan])
def test_an_amount_that_keeps_nothing_or_all_is_refused(amount, kind, tmp_path):
    module, _, options = KINDS[kind]
    with pytest.raises(InputError, match=rf"a share {amount} of \d+ .* is none or all; allowed"):
        shrink(module, oracles.make_model("pre"), amount, tmp_path, **options)


def test_a_share_is_rounded_down_but_not_by_a_products_last_bits():
    assert 0.57 * 100 < 57
    assert cut.kept("layers", 100, 0.57) == 57
    assert [cut.kept("layers", 12, share) for share in (0.75, 0.7, 0.09, 0.99)] == [9, 8, 1, 11]
    assert [cut.kept("neurons", 3072, share, 8) for share in (0.5, 0.7)] == [1536, 2144]
    with pytest.raises(InputError, match=r"a share 0\.2 of 32 neurons, .* multiple of 8"):
        cut.kept("neurons", 32, 0.2, 8)
    with pytest.raises(InputError, match="none or all"):
        cut.kept("layers", 12, 1 - 1e-9)


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "random_layers"])
@pytest.mark.parametrize(
    ("sequences", "said"),
    [
        (None, "calibration set is empty"),
        (torch.zeros(0, 8, dtype=torch.int64), "calibration set is empty"),
        (torch.full((2, 33), 7), "calibration.length = 33 exceeds the model's 32 positions"),
    ],
)
def test_no_calibration_set_or_too_long_a_one_is_refused(sequences, said, kind, tmp_path):
    module, amount, options = KINDS[kind]
    checkpoints.save(oracles.make_model("pre"), tmp_path)
    with pytest.raises(InputError, match=said):
        module.shrink(tmp_path, tmp_path / "draft", amount, Given(sequences), **options)


@pytest.mark.parametrize("kind", KINDS)
def test_weights_that_are_not_finite_are_refused(kind, tmp_path):
    module, amount, options = KINDS[kind]
    dense = oracles.make_model("pre")
    with torch.no_grad():
        for layer in dense.model.decoder.layers:
            layer.fc1.bias[2] = math.nan
    with pytest.raises(InputError, match=r"(NaN|nan)"):
        shrink(module, dense, amount, tmp_path, **options)


@pytest.mark.parametrize("kind", [name for name in KINDS if name != "random_layers"])
def test_says_how_many_layers_are_done_with(kind, tmp_path):
    module, amount, options = KINDS[kind]
    told = []
    report = lambda *args: told.append(args)  # noqa: E731 - as short as it is
    shrink(module, oracles.make_model("pre"), amount, tmp_path, report=report, **options)
    assert [done for done, _ in told] == ([1] if kind == "layers by perplexity" else [1, 2, 3])
    assert all(isinstance(text, str) and text for _, text in told)


@pytest.mark.parametrize("kind", KINDS)
def test_the_same_on_a_device(kind, device, tmp_path):
    module, amount, options = KINDS[kind]
    folders = [tmp_path / "here", tmp_path / "there"]
    for folder, place in zip(folders, ["cpu", device], strict=True):
        folder.mkdir()
        shrink(module, oracles.make_model("post"), amount, folder, device=place, **options)
    here, there = (checkpoints.state(folder / "shrunk") for folder in folders)
    for name, tensor in here.items():
        torch.testing.assert_close(there[name], tensor, msg=name)


@pytest.mark.parametrize("kind", ["neurons", "layers by cosine"])
def test_where_memory_is_short_the_disk_gives_the_same(kind, tmp_path, monkeypatch):
    module, amount, options = KINDS[kind]
    found = []
    for name, room in (("memory", layerwise.ROOM), ("disk", 0.0)):
        (tmp_path / name).mkdir()
        monkeypatch.setattr(layerwise, "ROOM", room)
        folder = shrink(module, oracles.make_model("pre"), amount, tmp_path / name, **options)
        found.append((folder / "model.safetensors").read_bytes())
    assert found[0] == found[1]


# Neurons.


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


# Layers.


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


# The paper's models.


@pytest.mark.parametrize(
    ("changes", "shares"),
    [
        ({"neurons": 0.5}, (0.77, 0.70)),
        ({"layers": 0.5}, (0.66, 0.54)),
        ({"vocabulary": 16_384}, (0.79, 0.95)),
        ({"vocabulary": 16_384, "neurons": 0.5, "layers": 0.75}, (0.45, 0.49)),
    ],
)
def test_what_is_left_of_the_papers_models(changes, shares):
    for model, share in zip(("opt-125m", "opt-350m"), shares, strict=True):
        dense = json.loads((PAPER / f"{model}.json").read_text())
        shrunk = dict(dense)
        if "neurons" in changes:
            shrunk["ffn_dim"] = cut.kept(
                "", dense["ffn_dim"], changes["neurons"], feed_forward.MULTIPLE
            )
        if "layers" in changes:
            shrunk["num_hidden_layers"] = cut.kept(
                "", dense["num_hidden_layers"], changes["layers"]
            )
        if "vocabulary" in changes:
            shrunk["vocab_size"] = changes["vocabulary"]
        assert round(parameters.count(shrunk) / parameters.count(dense), 2) == share
