"""Which weights have the lowest scores."""

import pytest
import torch

from sparsesum.base.errors import InputError
from sparsesum.pruning.masks import grouped, lowest, lowest_of_rows


def test_grouped_and_lowest():
    scores = torch.tensor([[4.0, 1.0, 3.0, 2.0, 5.0, 6.0, 8.0, 7.0]])
    assert grouped(scores, 4).tolist() == [[[4, 1, 3, 2], [5, 6, 8, 7]]]
    assert lowest(scores, 1, 4).nonzero()[:, 1].tolist() == [1, 4]
    assert lowest(scores, 2, 4).nonzero()[:, 1].tolist() == [1, 3, 4, 5]
    assert lowest(scores, 2, 8).nonzero()[:, 1].tolist() == [1, 3]
    with pytest.raises(InputError, match="8 inputs cannot be split into groups of 3"):
        grouped(scores, 3)


@pytest.mark.parametrize("count", [0, 1, 5, 15, 16])
def test_lowest_of_rows_is_what_a_stable_sort_says(count):
    scores = torch.randn(12, 16, generator=torch.Generator().manual_seed(count))
    scores[3:6] = scores[3:6].round()  # ties in some rows, here and there at the threshold
    scores[7] = 0
    order = scores.sort(dim=1, stable=True).indices[:, :count]
    expected = torch.zeros(12, 16, dtype=torch.bool).scatter_(1, order, True)
    assert torch.equal(lowest_of_rows(scores, count), expected)
