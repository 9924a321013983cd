"""Places: blocks of columns whose cells of one index share a dendrite, so that a whole layer has one score.

Zihan, Delrocq, Bellec, Gerstner, "Can local learning match self-supervised backpropagation?", ICML 2026: activity is
averaged over the blocks of a layer, and dense weights predict all these averages from all those of the context. A cell
contributes its share to the average of its place, and its dendrite brings it its share of the prediction.
"""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import pad

from cortexsim.topology import Columns


@dataclass(frozen=True)
class Places:
    """The places of a layer, and which cells of its columns send there.

    >>> from cortexsim.topology import convolution, with_places
    >>> places = Places.of(with_places(convolution((4,), size=1, stride=1), places=2), torch.empty(()))
    >>> places.mean(torch.tensor([[[1.0], [3.0], [5.0], [5.0]]])).tolist()  # (batch, 1, places x cells)
    [[[2.0, 5.0]]]
    >>> places.spread(torch.tensor([[[2.0, 5.0]]])).flatten().tolist()
    [1.0, 1.0, 2.5, 2.5]

    Attributes:
        columns: of each place, (places, n).
        place_of: place of each column, (positions,); one more than the last for columns that belong to none.
        share: of a column in the average of its place.
        pools: columns that compete, (positions sent, n): of each cell only the most active of them sends. None where
            they do not.
    """

    columns: Tensor
    place_of: Tensor
    share: float
    pools: Tensor | None

    @classmethod
    def of(cls, columns: Columns, like: Tensor) -> "Places | None":
        """Return the places of a layer, None where it has none; ``like`` is a tensor on the device."""
        if columns.places is None:
            return None
        table = torch.from_numpy(columns.places).to(like.device)
        count, each = table.shape
        place_of = torch.full((columns.positions,), count, device=like.device)
        place_of[table.flatten()] = torch.arange(count, device=like.device).repeat_interleave(each)
        competing = columns.pools if columns.pooling == "max" else None
        pools = None if competing is None else torch.from_numpy(competing).to(like.device)
        senders = each if pools is None else each // pools.shape[1]
        return cls(table, place_of, 1 / senders, pools)

    @property
    def count(self) -> int:
        """Number of places."""
        return len(self.columns)

    def winners(self, activity: Tensor) -> Tensor | None:
        """Find which cells send: those that a pool passes on, the first of equal ones; None where all are.

        Args:
            activity: (batch, positions, cells).

        Returns:
            1 or 0, (batch, positions, cells).
        """
        if self.pools is None:
            return None
        best = activity[:, self.pools].max(2).indices  # (batch, positions sent, cells)
        chosen = self.pools[torch.arange(len(self.pools), device=best.device)[:, None], best]  # Numbers of columns.
        return torch.zeros_like(activity).scatter_(1, chosen, 1.0)

    def mean(self, sent: Tensor) -> Tensor:
        """Average over each place the activity that is sent: (batch, positions, cells) to (batch, 1, places cells)."""
        return (self.share * sent[:, self.columns].sum(2)).flatten(1).unsqueeze(1)

    def spread(self, values: Tensor) -> Tensor:
        """Bring to every column its share of the values of its place: the transpose of `mean`."""
        each = self.share * values.unflatten(2, (self.count, -1)).squeeze(1)
        return pad(each, (0, 0, 0, 1)).index_select(1, self.place_of)
