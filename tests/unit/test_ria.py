"""RIA: relative importance, the power of the activations, ties, zeros."""

from pathlib import Path

import oracles
import pytest
import torch
from oracles import PATTERNS, gather, problem

from sparsesum.base.errors import InputError
from sparsesum.experiment.patterns import parse
from sparsesum.pruning.pruners import ria


@pytest.mark.parametrize("rows", [1, 24])
@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
def test_as_the_definition(pattern, rows):
    weight, inputs = problem(rows)
    pruned = ria.sparsify(weight, gather(ria.accumulate, inputs), pattern)
    arrays = [x.double().numpy() for x in inputs]
    expected = oracles.ria64(weight.double().numpy(), arrays, pattern)
    assert torch.equal(pruned.double(), torch.from_numpy(expected))


@pytest.mark.parametrize("pattern", PATTERNS, ids=lambda p: p.name)
@pytest.mark.parametrize("seed", range(4))
def test_as_the_reference_where_scores_tie(pattern, seed):
    weight, inputs = problem(columns=64, seed=seed)
    weight = weight.mul(2).round()
    pruned = ria.sparsify(weight, gather(ria.accumulate, inputs), pattern)
    assert torch.equal(pruned, oracles.ria32(weight, inputs, pattern))


def test_a_weight_counts_for_what_it_is_to_its_row_and_column():
    # By size the 2 would go. It is all that its column has; of the 3s each is half of its own.
    weight = torch.tensor([[3.0, 2.0, 3.0, 9.0], [3.0, 0.0, 3.0, 9.0]])
    pruned = ria.sparsify(weight, torch.ones(4), parse("2:4"))
    assert pruned[0].tolist() == [0, 2, 0, 9]


def test_the_power_of_the_activations():
    weight, state = torch.tensor([[1.0, 2.0, 4.0, 8.0]]), torch.tensor([1e6, 1.0, 1.0, 1.0])
    # Column shares are 1 each; row shares 1, 2, 4, 8 of 15; norms 1000, 1, 1, 1.
    for power, expected in ((0.0, [0, 0, 4, 8]), (0.5, [1, 0, 0, 8]), (1.0, [1, 0, 0, 8])):
        assert ria.sparsify(weight, state, parse("2:4"), power).tolist() == [expected]
    weight, state = torch.tensor([[8.0, 6.0]]), torch.tensor([1.0, 1.5])
    # Scores: 1.571 and 1.429, times norms to the power: the second wins from about 0.47 on.
    assert ria.sparsify(weight, state, parse("1:2"), 0.4).tolist() == [[8, 0]]
    assert ria.sparsify(weight, state, parse("1:2"), 0.5).tolist() == [[0, 6]]


def test_rows_and_columns_of_zeros_give_the_pattern():
    weight, inputs = problem()
    weight[:, 4:8] = 0
    weight[3] = 0
    groups = (
        (ria.sparsify(weight, gather(ria.accumulate, inputs), parse("2:4")) == 0)
        .unflatten(1, (8, 4))
        .sum(-1)
    )
    assert (groups >= 2).all()
    half = ria.sparsify(weight, gather(ria.accumulate, inputs), parse("50%"))
    assert half.isfinite().all() and (half == 0).sum() == 24 * 16 + 1


def test_a_group_that_does_not_divide_the_row_names_the_sizes():
    with pytest.raises(InputError, match="30 inputs cannot be split into groups of 8"):
        ria.sparsify(torch.ones(2, 30), torch.ones(30), parse("4:8"))


def test_the_readme_shows_what_the_file_says():
    readme = (Path(__file__).resolve().parents[2] / "README.md").read_text()
    shown = readme[readme.index("    def sparsify(weight, state, pattern, power=0.5):\n") :]
    body = [line.strip() for line in shown.split("\n\n")[0].splitlines()[1:]]
    file = [line.strip() for line in Path(ria.__file__).read_text().splitlines()]
    start = file.index(body[0])
    assert [line for line in file[start:] if not line.startswith("#")] == body
