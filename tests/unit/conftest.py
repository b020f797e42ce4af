"""What the tests of two devices share."""

from collections.abc import Iterator

import pytest
import torch
from two_devices import gpu


@pytest.fixture
def device() -> Iterator[torch.device]:
    """A GPU that there is not (`two_devices`)."""
    with gpu() as found:
        yield found
