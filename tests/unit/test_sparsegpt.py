"""SparseGPT: the Hessian, dead inputs, damping, blocks, groups."""

import logging

import oracles
import pytest
import torch
from oracles import BLOCK, PATTERNS, gather

from sparsesum.base.errors import InputError
from sparsesum.experiment.patterns import parse
from sparsesum.pruning.pruners import sparsegpt


def problem(rows=20, columns=40, sequences=6, tokens=30, seed=0, dead=()):
    """A weight, [rows, columns], and correlated inputs, [tokens, columns] each; some dead."""
    generator = torch.Generator().manual_seed(seed)
    weight = torch.randn(rows, columns, generator=generator)
    mix = torch.randn(columns, columns, generator=generator) / columns**0.5
    mix += torch.eye(columns)
    inputs = [torch.randn(tokens, columns, generator=generator) @ mix for _ in range(sequences)]
    for x in inputs:
        x[:, list(dead)] = 0
    return weight, inputs


def sparsify(weight, hessian, pattern, exact=True, **options):
    factor = sparsegpt.prepare(hessian, exact, **options)
    return sparsegpt.sparsify(weight, factor, pattern, **options)


def sparsify64(weight, inputs, pattern, **options):
    arrays = [x.double().numpy() for x in inputs]
    return torch.from_numpy(
        oracles.sparsegpt64(weight.double().numpy(), arrays, pattern, **options)
    )


@pytest.mark.parametrize("dead", [(), (5, 17, 18)], ids=["alive", "dead"])
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_as_the_definition(pattern, dead):
    weight, inputs = problem(dead=dead)
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), pattern, block=BLOCK)
    expected = sparsify64(weight, inputs, pattern)
    assert torch.equal(pruned == 0, expected == 0)
    torch.testing.assert_close(pruned.double(), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("dead", [(), (*range(8, 16), 21, 23)], ids=["alive", "dead"])
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
@pytest.mark.parametrize("seed", range(3))
def test_bit_for_bit_as_the_reference(pattern, dead, seed):
    weight, inputs = problem(columns=64, dead=dead, seed=seed)
    weight[:, :8] = weight[:, :8].round()  # zeros, and ties among them
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), pattern, block=BLOCK)
    assert torch.equal(pruned, oracles.sparsegpt32(weight, inputs, pattern))


@pytest.mark.parametrize("columns", [1, 7, 256, 257, 900])
def test_one_factorisation_gives_what_three_do(columns):
    x = torch.randn(1000, columns, generator=torch.Generator().manual_seed(columns)).double()
    x[:, columns // 3] = 0
    one, three = (sparsegpt.prepare(x.T @ x, exact) for exact in (False, True))
    assert torch.equal(one.dead, three.dead) and one.dead[columns // 3]
    torch.testing.assert_close(one.inverse, three.inverse, rtol=1e-9, atol=1e-12)
    assert torch.equal(one.inverse, one.inverse.triu())


@pytest.mark.parametrize("dead", [(), (5, 17, 18)], ids=["alive", "dead"])
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_the_fast_mode_is_as_the_definition(pattern, dead):
    weight, inputs = problem(dead=dead)
    state = sparsegpt.accumulate(None, torch.stack(inputs), 0, exact=False)
    pruned = sparsify(weight, state, pattern, exact=False, block=BLOCK)
    expected = sparsify64(weight, inputs, pattern)
    assert torch.equal(pruned == 0, expected == 0)
    torch.testing.assert_close(pruned.double(), expected, rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("text", ["50%", "2:4"])
def test_the_default_block_is_128_and_the_default_damping_a_hundredth(text, monkeypatch):
    monkeypatch.setattr(oracles, "BLOCK", 128)
    weight, inputs = problem(rows=6, columns=160, tokens=60)
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), parse(text))
    assert torch.equal(pruned, oracles.sparsegpt32(weight, inputs, parse(text), damping=0.01))
    others = [{"block": 32}, {"damping": 0.1}]
    for options in others:
        other = sparsify(weight, gather(sparsegpt.accumulate, inputs), parse(text), **options)
        assert not torch.equal(pruned, other)


def test_one_threshold_a_block_prunes_one_more_than_the_ratio():
    weight, inputs = problem(columns=20)  # blocks of 8, 8 and 4 columns of 20 rows
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), parse("30%"), block=8)
    counts = [int((part == 0).sum()) for part in pruned.split(8, dim=1)]
    assert counts == [int(160 * 0.3) + 1, int(160 * 0.3) + 1, int(80 * 0.3) + 1]


@pytest.mark.parametrize("pattern", [p for p in PATTERNS if p.m], ids=lambda p: p.name)
def test_each_group_loses_exactly_n(pattern):
    weight, inputs = problem()
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), pattern, block=BLOCK)
    assert ((pruned == 0).unflatten(1, (-1, pattern.m)).sum(-1) == pattern.pruned).all()


def test_kept_weights_make_up_for_the_error():
    weight, inputs = problem(tokens=100)
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), parse("50%"), block=BLOCK)
    masked = weight.masked_fill(pruned == 0, 0)
    x = torch.cat(inputs)

    def loss(w):
        return float(((weight - w) @ x.T).square().sum())

    assert 0 < loss(pruned) < 0.8 * loss(masked)


def test_dead_inputs_lose_all_their_weights_and_change_no_others():
    weight, inputs = problem(dead=(0, 7, 39))
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), parse("3:4"), block=BLOCK)
    assert (pruned[:, [0, 7, 39]] == 0).all()
    changed = weight.clone()
    changed[:, [0, 7, 39]] = 5
    again = sparsify(changed, gather(sparsegpt.accumulate, inputs), parse("3:4"), block=BLOCK)
    assert torch.equal(pruned, again)


def test_damping_counts_the_dead_inputs_as_one():
    # Inputs so small that the dead inputs' ones are nearly all of the mean: damping drowns H.
    weight, inputs = problem(dead=(3,))
    inputs = [x * 1e-4 for x in inputs]
    for pattern in PATTERNS:
        pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), pattern, block=BLOCK)
        expected = sparsify64(weight, inputs, pattern)
        assert torch.equal(pruned == 0, expected == 0)
        torch.testing.assert_close(pruned.double(), expected, rtol=1e-3, atol=1e-4)
    kept = pruned != 0
    torch.testing.assert_close(pruned[kept], weight[kept], rtol=0, atol=0.01)


def test_all_inputs_dead():
    pruned = sparsify(torch.ones(3, 8), torch.zeros(8, 8), parse("2:4"), block=8)
    assert torch.equal(pruned, torch.zeros(3, 8))


def test_damping_rises_step_by_step_and_says_so(caplog):
    # Not positive definite before 10 times the mean of the diagonal, 1, is added.
    hessian = torch.tensor([[1.0, 3.0], [3.0, 1.0]])
    weight = torch.tensor([[2.0, 1.0], [1.0, 2.0]])
    with caplog.at_level(logging.WARNING):
        pruned = sparsify(weight, hessian, parse("1:2"), block=2)
    assert [record.args for record in caplog.records] == [
        (2, 0.01, 0.1),
        (2, 0.1, 1.0),
        (2, 1.0, 10.0),
    ]
    assert "Cholesky failed" in caplog.text
    straight = sparsify(weight, hessian, parse("1:2"), damping=10, block=2)
    torch.testing.assert_close(pruned, straight)
    assert (pruned == 0).sum() == 2 and pruned.isfinite().all()


def test_a_healthy_hessian_is_damped_once_and_in_silence(caplog):
    weight, inputs = problem()
    sparsify(weight, gather(sparsegpt.accumulate, inputs), parse("50%"), block=BLOCK)
    assert not caplog.records


def test_no_damping_at_all_starts_from_the_usual_one_when_it_fails(caplog):
    weight, inputs = problem(sequences=1, tokens=1)
    pruned = sparsify(
        weight, gather(sparsegpt.accumulate, inputs), parse("50%"), damping=0.0, block=BLOCK
    )
    assert caplog.records[0].args == (40, 0.0, 0.01)
    assert pruned.isfinite().all()


def test_gives_up_when_no_damping_helps():
    hessian = torch.tensor([[1.0, 1e9], [1e9, 1.0]])
    with pytest.raises(InputError, match="2 inputs cannot be factorised, even with damping 100"):
        sparsify(torch.ones(1, 2), hessian, parse("1:2"), block=2)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16, torch.float32])
@pytest.mark.parametrize("text", ["50%", "2:4"])
def test_returns_a_new_tensor_of_the_same_dtype(dtype, text):
    weight, inputs = problem(dead=(2,))
    weight, factor = weight.to(dtype), sparsegpt.prepare(gather(sparsegpt.accumulate, inputs), True)
    kept = weight.clone(), factor.inverse.clone()
    pruned = sparsegpt.sparsify(weight, factor, parse(text), block=BLOCK)
    assert pruned.dtype == dtype and pruned.is_contiguous()
    assert torch.equal(weight, kept[0]) and torch.equal(factor.inverse, kept[1])
    whole = sparsegpt.sparsify(weight.float(), factor, parse(text), block=BLOCK)
    assert torch.equal(pruned, whole.to(dtype))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_a_layer_of_one_row(pattern):
    weight, inputs = problem(rows=1)
    pruned = sparsify(weight, gather(sparsegpt.accumulate, inputs), pattern, block=BLOCK)
    assert torch.equal(pruned, oracles.sparsegpt32(weight, inputs, pattern))


def test_groups_that_do_not_fit_row_or_block_name_the_sizes():
    state = torch.eye(30)
    with pytest.raises(InputError, match="30 inputs cannot be split into groups of 4"):
        sparsify(torch.ones(2, 30), state, parse("2:4"))
    with pytest.raises(InputError, match="block of 128 columns cannot be split into groups of 3"):
        sparsify(torch.ones(2, 30), state, parse("1:3"))
