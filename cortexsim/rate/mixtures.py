"""Negative inputs: mixtures of two fixations, for rules that learn to tell them from real ones."""

import torch
from torch import Tensor


def mix_fixations(patches: Tensor, width: int, how: str) -> Tensor:
    """Mix the input of each column in each fixation with that in the fixation before.

    >>> patches = torch.tensor([[[1.0, 1.0]], [[3.0, 3.0]]])  # Two fixations of one column over two positions.
    >>> mix_fixations(patches, width=1, how="hybrid").tolist()
    [[[1.0, 3.0]], [[3.0, 1.0]]]

    Args:
        patches: (batch, positions, n k), n positions below with k values each.
        width: k.
        how: ``"hybrid"`` takes the first half of each receptive field from a fixation and the rest from the one before;
            ``"blend"`` takes the mean of both.

    Returns:
        (batch, positions, n k).
    """
    before = patches.roll(1, 0)
    if how == "blend":
        return (patches + before) / 2
    first = max(1, patches.shape[2] // width // 2) * width
    return torch.cat([patches[:, :, :first], before[:, :, first:]], 2)
