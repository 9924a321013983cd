"""A projection: all-to-all synapses from one group of cells to another, at every position of a layer."""

import torch
from torch import Tensor


class Projection:
    """Hold dense weights that are the same at every ``copies``-th position.

    One copy shares its weights over all positions; as many copies as positions share nothing; s copies tell the places
    within a tuple apart.

    Args:
        weights: (copies, post, pre).
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    @property
    def groups(self) -> int:
        """How many positions have weights of their own."""
        return self.weights.shape[0]

    def group_positions(self, values: Tensor) -> Tensor:
        """Bring together the positions that share weights: (batch, positions, k) to (copies, observations, k)."""
        batch, positions, width = values.shape
        if self.groups == 1:
            return values.reshape(1, -1, width)
        grouped = values.reshape(batch, positions // self.groups, self.groups, width)
        return grouped.permute(2, 0, 1, 3).reshape(self.groups, -1, width)

    def __call__(self, pre: Tensor, bias: Tensor | None = None) -> Tensor:
        """Sum the weighted input, and a bias (copies, post): (batch, positions, pre) to (batch, positions, post)."""
        batch, positions, _ = pre.shape
        arranged, transposed = self.group_positions(pre), self.weights.transpose(1, 2)
        if bias is None:
            summed = torch.bmm(arranged, transposed)
        else:
            summed = torch.baddbmm(bias.unsqueeze(1), arranged, transposed)
        if self.groups == 1:
            return summed.view(batch, positions, -1)
        return (
            summed.view(self.groups, batch, positions // self.groups, -1)
            .permute(1, 2, 0, 3)
            .reshape(batch, positions, -1)
        )

    def correlate(self, post: Tensor, pre: Tensor) -> Tensor:
        """Average post * pre over all observations of a weight: (copies, post, pre)."""
        left, right = self.group_positions(post), self.group_positions(pre)
        return torch.bmm(left.transpose(1, 2), right) / left.shape[1]

    def expand_to_positions(self, values: Tensor, positions: int) -> Tensor:
        """Lay out what copies have, (copies, k), over positions: (positions, k), or (1, k) where all have the same."""
        return values if self.groups == 1 else values.repeat(positions // self.groups, 1)

    def average(self, post: Tensor) -> Tensor:
        """Average a postsynaptic quantity over all observations of a cell: (copies, post)."""
        return self.group_positions(post).mean(1)
