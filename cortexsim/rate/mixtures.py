"""Inputs that do not belong together, for rules that learn to tell them from those that do."""

from torch import Tensor


def mixed(below: Tensor, positions: int, how: str) -> Tensor:
    """Mix each fixation of a batch with the one before, (batch, positions s, cells below).

    Args:
        below: activity of the layer below.
        positions: columns of the layer that sees it.
        how: ``"hybrid"`` takes the first patch of each column from the fixation and the others from the one before;
            ``"blend"`` takes the mean of both.
    """
    before = below.roll(1, 0)
    if how == "blend":
        return (below + before) / 2
    patches = before.unflatten(1, (positions, -1)).clone()
    patches[:, :, 0] = below.unflatten(1, (positions, -1))[:, :, 0]
    return patches.flatten(1, 2)
