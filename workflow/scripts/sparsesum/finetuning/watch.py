"""Whether a training still has numbers: its loss and the norm of its gradients, at every step."""

import torch

from sparsesum.base.errors import InputError

SKIPPED = 20
"""Steps in a row that float16's loss scaling may skip: by then 2^16 has become less than 1."""


REMEDY = "lower learning_rate or raise warmup_steps"


class Watch:
    """Remembers the first step at which the loss or the gradients' norm was not finite.

    It remembers on the device, so that a GPU is not waited for; `check` waits. scaled: the loss is
    scaled (float16), and steps whose gradients overflow are skipped: up to SKIPPED of them in a row
    are no fault. A loss that is not finite always is: no scaling mends a forward pass.
    """

    def __init__(self, device: torch.device, scaled: bool) -> None:
        self.allowed = SKIPPED if scaled else 0
        self.skipped = torch.zeros((), dtype=torch.int64, device=device)
        # Of the first bad step: its number, or 0; its loss, norm and learning rate.
        self.step = torch.zeros((), dtype=torch.int64, device=device)
        self.seen = torch.zeros(3, dtype=torch.float64, device=device)

    @torch.no_grad()
    def observe(
        self, step: int, loss: torch.Tensor, norm: torch.Tensor, learning_rate: float
    ) -> None:
        """Look at a step, counted from 1, before its weights are changed."""
        self.skipped.add_(1).mul_(~norm.isfinite())
        bad = ~loss.isfinite() | (self.skipped > self.allowed)
        new = bad & (self.step == 0)
        rate = torch.full_like(self.seen[0], learning_rate)
        seen = torch.stack([loss.double(), norm.double(), rate])
        self.seen.copy_(torch.where(new, seen, self.seen))
        self.step.add_(new * step)

    def check(self, steps: int) -> None:
        """Raise an InputError if a step was bad; `steps`: of the whole training."""
        if not (step := int(self.step)):
            return
        loss, norm, learning_rate = self.seen.tolist()
        remedy = REMEDY
        if self.allowed:
            remedy += ", or train with precision bf16 or fp32"
        raise InputError(
            f"step {step} of {steps}: the training diverged: loss {loss:.4g}, norm of the "
            f"gradients {norm:.4g}, learning rate {learning_rate:.4g}; {remedy}, in the stage's "
            "section of the config; nothing of it was saved but checkpoints before that step"
        )
