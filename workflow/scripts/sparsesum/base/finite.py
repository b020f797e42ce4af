"""NaN and infinity stop a job: they never pass into an artifact."""

import math
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING

from sparsesum.base.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor


def is_finite(tensor: "Tensor") -> bool:
    """Whether no value of a tensor is NaN or infinite; one pass, no copy."""
    if not tensor.numel() or not tensor.is_floating_point():
        return True
    # Both ends are NaN where any value is.
    return all(end.isfinite().item() for end in tensor.detach().aminmax())


def check(
    state: Mapping[str, "Tensor"], source: object, remedy: str = "make or fetch it again"
) -> None:
    """Raise an InputError that names the first tensor of `state` with a value that is not finite.

    `source` says what the tensors are of, a folder, say; `remedy` what to do.
    """
    for name in state:
        tensor = state[name]
        if not is_finite(tensor):
            count = tensor.numel() - int(tensor.isfinite().sum())
            raise InputError(
                f"{source}: {name}: {count:,} of {tensor.numel():,} values are NaN or infinite: "
                f"the model is not sound; {remedy}"
            )


def check_values(values: Iterable[float], what: str, names: Iterable[object]) -> None:
    """Raise an InputError that names the first of some results that is not finite.

    `what`: of which kind they are; names: what each belongs to, a bill's id, say.
    """
    for value, name in zip(values, names, strict=True):
        if not math.isfinite(value):
            raise InputError(
                f"{what} of {name} is {value}: what it was made from is not sound; look at the log "
                "of the job that made it"
            )
