"""A projection: all-to-all synapses from one group of cells to another, at every position of a layer."""

import torch
from torch import Tensor


class Projection:
    """Dense weights with weight sharing: those of group g apply at positions g, g + groups, g + 2 groups, ...

    With one group, all positions share their weights; with as many groups as positions, none do; with s groups, each
    place among s consecutive columns has weights of its own.

    >>> projection = Projection(torch.tensor([[[1.0, 2.0]], [[0.0, 1.0]]]))  # Two groups, one cell, two inputs.
    >>> projection(torch.ones(1, 4, 2)).flatten().tolist()
    [3.0, 1.0, 3.0, 1.0]

    Args:
        weights: (groups, post, pre).
    """

    def __init__(self, weights: Tensor) -> None:
        self.weights = weights

    @property
    def groups(self) -> int:
        """Number of weight groups."""
        return self.weights.shape[0]

    def group_positions(self, values: Tensor) -> Tensor:
        """Collect the positions that share weights: (batch, positions, k) to (groups, observations, k)."""
        batch, positions, width = values.shape
        if self.groups == 1:
            return values.reshape(1, -1, width)
        grouped = values.reshape(batch, positions // self.groups, self.groups, width)
        return grouped.permute(2, 0, 1, 3).reshape(self.groups, -1, width)

    def __call__(self, pre: Tensor, bias: Tensor | None = None) -> Tensor:
        """Compute the weighted sum of the input.

        Args:
            pre: presynaptic activity, (batch, positions, pre).
            bias: added to the sum, (groups, post).

        Returns:
            (batch, positions, post).
        """
        batch, positions, _ = pre.shape
        grouped, transposed = self.group_positions(pre), self.weights.transpose(1, 2)
        if bias is None:
            summed = torch.bmm(grouped, transposed)
        else:
            summed = torch.baddbmm(bias.unsqueeze(1), grouped, transposed)
        if self.groups == 1:
            return summed.view(batch, positions, -1)
        return (
            summed.view(self.groups, batch, positions // self.groups, -1)
            .permute(1, 2, 0, 3)
            .reshape(batch, positions, -1)
        )

    def correlate(self, post: Tensor, pre: Tensor) -> Tensor:
        """Average post times pre over batch and positions, within each weight group.

        Args:
            post: (batch, positions, post).
            pre: (batch, positions, pre).

        Returns:
            (groups, post, pre), the shape of the weights.
        """
        left, right = self.group_positions(post), self.group_positions(pre)
        return torch.bmm(left.transpose(1, 2), right) / left.shape[1]

    def average(self, post: Tensor) -> Tensor:
        """Average over batch and positions, within each weight group: (batch, positions, post) to (groups, post)."""
        return self.group_positions(post).mean(1)

    def expand_to_positions(self, values: Tensor, positions: int) -> Tensor:
        """Repeat the values of each group, (groups, k), over positions: (positions, k), or (1, k) for one group."""
        return values if self.groups == 1 else values.repeat(positions // self.groups, 1)
