"""Pairs of views in one batch: all first views, and after them all second ones."""

from torch import Tensor


def side_by_side(pairs: Tensor) -> Tensor:
    """Order pairs of views as one batch: (batch, 2, positions, channels) to (2 batch, positions, channels)."""
    return pairs.transpose(0, 1).flatten(0, 1)


def exchanged(values: Tensor) -> Tensor:
    """Exchange the two views: each gets the values of the other, (2 batch, ...).

    >>> import torch
    >>> exchanged(torch.tensor([1, 2, 3, 4])).tolist()
    [3, 4, 1, 2]
    """
    return values.roll(len(values) // 2, 0)
