"""Topology: where the columns of each layer look, as index tables that every substrate is wired from.

A layer is a grid of columns. The receptive field of a column is a row of a table: which positions of the layer below it
sees. Trees, overlapping convolutions and all-to-all layers are tables, and nothing else is known of them:

>>> convolution((8,), size=2, stride=2).fields.tolist()
[[0, 1], [2, 3], [4, 5], [6, 7]]
>>> convolution((5,), size=3, stride=1).fields.tolist()
[[0, 1, 2], [1, 2, 3], [2, 3, 4]]
>>> tree(depth=3, size=2, channels=8).positions
(4, 2, 1)
"""

import math
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import pairwise
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from cortexsim.errors import UserError

Table = NDArray[np.intp]
Pooling = Literal["mean", "max"]


@dataclass(frozen=True, eq=False)
class Columns:
    """Place the columns of one layer.

    Attributes:
        grid: columns along each axis.
        fields: receptive field of each column, (positions, k): positions of the layer below, or of the input.
        below: how many positions are there.
        places: where on the grid each column stands, (positions, axes).
        spacing: distance, in columns along each axis, from which receptive fields do not overlap.
        cells: in each column; None for as many as the network has elsewhere.
        pools: which columns are pooled for the layer above, (positions sent, n); None where all are sent.
        pooling: what is sent of those that are pooled, cell by cell.
    """

    grid: tuple[int, ...]
    fields: Table
    below: int
    places: Table
    spacing: tuple[int, ...]
    cells: int | None = None
    pools: Table | None = None
    pooling: Pooling = "mean"

    @property
    def positions(self) -> int:
        """How many columns there are."""
        return len(self.fields)

    @property
    def sent(self) -> int:
        """How many positions the layer above sees."""
        return self.positions if self.pools is None else len(self.pools)

    @property
    def sent_grid(self) -> tuple[int, ...]:
        """The grid that the layer above sees."""
        return self.grid if self.pools is None else tuple(n // self._block for n in self.grid)

    @property
    def _block(self) -> int:
        return 1 if self.pools is None else round(self.pools.shape[1] ** (1 / len(self.grid)))

    @cached_property
    def contiguous(self) -> bool:
        """Whether its receptive fields, one after the other, are the layer below: as in a tree."""
        return bool(np.array_equal(self.fields.ravel(), np.arange(self.below)))


@dataclass(frozen=True, eq=False)
class Topology:
    """Stack layers of columns upon an input.

    Attributes:
        grid: positions of the input along each axis.
        channels: values at each position of the input.
        layers: from below.
    """

    grid: tuple[int, ...]
    channels: int
    layers: tuple[Columns, ...]

    @property
    def inputs(self) -> int:
        """How many positions the input has."""
        return math.prod(self.grid)

    @property
    def depth(self) -> int:
        """How many layers there are."""
        return len(self.layers)

    @property
    def positions(self) -> tuple[int, ...]:
        """Columns of each layer."""
        return tuple(layer.positions for layer in self.layers)

    def ancestors(self, layer: int, above: int) -> Table:
        """Name, for each column of a layer, the one so many layers above that it is a part of.

        Args:
            layer: counted from 1.
            above: how many layers further up; 0 is the layer itself.

        Returns:
            (positions,); empty where there are not so many layers, or receptive fields overlap.
        """
        found = np.arange(self.layers[layer - 1].positions)
        if layer + above > self.depth:
            return found[:0]
        for lower, upper in pairwise(self.layers[layer - 1 : layer + above]):
            if not upper.contiguous or lower.pools is not None:
                return found[:0]
            found = found // upper.fields.shape[1]
        return found


def convolution(grid: tuple[int, ...], size: int, stride: int, cells: int | None = None) -> Columns:
    """Let columns see windows of so many positions along each axis, so many apart; none looks over the edge.

    Where the stride is the size, receptive fields do not overlap, and layers of them make a tree. A window is never
    wider than an axis; the last positions of an axis are not seen where the stride does not reach them.
    """
    sizes = [min(size, n) for n in grid]
    starts = [np.arange(0, n - k + 1, stride) for n, k in zip(grid, sizes, strict=True)]
    spacing = tuple(-(-k // stride) for k in sizes)
    return _windows(grid, sizes, starts, spacing, cells)


def spread(grid: tuple[int, ...], columns: tuple[int, ...], cells: int | None = None) -> Columns:
    """Let so many columns along each axis see all of it, in windows that overlap where their number does not divide it.

    Args:
        grid: positions below, along each axis.
        columns: as many as there are positions there, or fewer.
        cells: in each column.
    """
    sizes = [-(-n // count) for n, count in zip(grid, columns, strict=True)]
    starts = [
        np.round(np.linspace(0, n - k, count)).astype(np.intp) for n, k, count in zip(grid, sizes, columns, strict=True)
    ]
    spacing = [1 if len(start) == 1 or min(np.diff(start)) >= k else 2 for start, k in zip(starts, sizes, strict=True)]
    return _windows(grid, sizes, starts, tuple(spacing), cells)


def everything(grid: tuple[int, ...], cells: int | None = None) -> Columns:
    """Let one column see all positions."""
    return convolution(grid, max(grid), max(grid), cells)


def pooled(columns: Columns, block: int, pooling: Pooling) -> Columns:
    """Let a layer send what blocks of its columns, so many along each axis, have in common."""
    blocks = convolution(columns.grid, block, block)
    if block > min(columns.grid):
        raise UserError(f"pool = {block}: the layer has {' x '.join(map(str, columns.grid))} columns (pool fewer)")
    return replace(columns, pools=blocks.fields, pooling=pooling)


def stacked(grid: tuple[int, ...], channels: int, layers: tuple[Columns, ...]) -> Topology:
    """Put layers on each other, and number columns so that those of one parent follow each other, as in a tree.

    Raises:
        UserError: where a layer is made for another one below.
    """
    below = math.prod(grid)
    for number, layer in enumerate(layers, 1):
        if layer.below != below:
            raise UserError(f"layer {number}: is made for {layer.below} positions below, and there are {below}")
        below = layer.sent
    found = list(layers)
    for k in range(len(found) - 2, -1, -1):
        order = found[k + 1].fields.ravel()
        if found[k].pools is None and np.array_equal(np.sort(order), np.arange(found[k].positions)):
            found[k] = replace(found[k], fields=found[k].fields[order], places=found[k].places[order])
            found[k + 1] = replace(found[k + 1], fields=np.arange(order.size).reshape(found[k + 1].fields.shape))
    return Topology(grid, channels, tuple(found))


def tree(depth: int, size: int, channels: int) -> Topology:
    """Build the tree of a hierarchy: size^depth positions, of which so many belong to each column above."""
    layers: list[Columns] = []
    grid: tuple[int, ...] = (size**depth,)
    for _ in range(depth):
        layers.append(convolution(grid, size, size))
        grid = layers[-1].grid
    return stacked((size**depth,), channels, tuple(layers))


def pyramid(grid: tuple[int, ...], channels: int, depth: int, size: int = 2) -> Topology:
    """Build a tree over any grid: one column on top, and below it, along each axis, so many times more a layer.

    The lowest layer divides the input between its columns. An axis with too few positions branches in fewer layers.

    Raises:
        UserError: where the grid has too few positions for so many layers.
    """
    if max(grid) < size ** (depth - 1):
        raise UserError(
            f"{depth} layers need {size ** (depth - 1)} positions along an axis, and the input has"
            f" {' x '.join(map(str, grid))} (take fewer layers, or say in [[layer]] what each sees)"
        )
    columns = tuple(max(size**k for k in range(depth) if size**k <= n) for n in grid)
    layers = [spread(grid, columns)]
    while len(layers) < depth:
        layers.append(convolution(layers[-1].grid, size, size))
    return stacked(grid, channels, tuple(layers))


def _windows(
    grid: tuple[int, ...],
    sizes: list[int],
    starts: list[Table],
    spacing: tuple[int, ...],
    cells: int | None,
) -> Columns:
    """Make the table of windows of these sizes, which begin at these positions of each axis."""
    numbers = np.arange(math.prod(grid)).reshape(grid)
    places = np.stack([axis.ravel() for axis in np.indices([len(each) for each in starts])], 1)
    fields = [
        numbers[tuple(slice(s[i], s[i] + k) for s, i, k in zip(starts, place, sizes, strict=True))].ravel()
        for place in places
    ]
    shape = tuple(len(each) for each in starts)
    return Columns(shape, np.array(fields, dtype=np.intp), numbers.size, places, spacing, cells)
