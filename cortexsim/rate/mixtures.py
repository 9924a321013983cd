"""Inputs that do not belong together, for rules that learn to tell them from those that do."""

import torch
from torch import Tensor


def mix_fixations(seen: Tensor, width: int, how: str) -> Tensor:
    """Mix what columns see in each fixation of a batch with what they saw in the one before.

    Args:
        seen: (batch, positions, n k).
        width: k, values at one position below.
        how: ``"hybrid"`` takes the first half of each receptive field from the fixation and the rest from the one
            before; ``"blend"`` takes the mean of both.
    """
    before = seen.roll(1, 0)
    if how == "blend":
        return (seen + before) / 2
    first = max(1, seen.shape[2] // width // 2) * width
    return torch.cat([seen[:, :, :first], before[:, :, first:]], 2)
