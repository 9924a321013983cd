"""Topology: the receptive fields of the columns of each layer, as index tables that all substrates are wired from.

A layer is a grid of columns. The receptive field of a column is one row of a table of positions of the layer below.
Trees, overlapping convolutions and all-to-all layers differ in nothing but these tables:

>>> convolution((8,), size=2, stride=2).fields.tolist()
[[0, 1], [2, 3], [4, 5], [6, 7]]
>>> convolution((5,), size=3, stride=1).fields.tolist()
[[0, 1, 2], [1, 2, 3], [2, 3, 4]]
>>> convolution((3,), size=3, stride=1, padding=1).fields.tolist()  # 3 is none of the positions 0 to 2: silence.
[[3, 0, 1], [0, 1, 2], [1, 2, 3]]
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
    """The columns of one layer and their receptive fields.

    >>> layer = convolution((4, 4), size=2, stride=2)
    >>> layer.grid, layer.positions, layer.below
    ((2, 2), 4, 16)
    >>> layer.fields[0].tolist(), layer.coordinates[1].tolist()
    ([0, 1, 4, 5], [0, 1])

    Attributes:
        grid: number of columns along each axis.
        fields: receptive field of each column, (positions, k): indices of positions of the layer below, or of the
            input; ``below`` stands for a position beyond the edge, which is silent.
        below: number of positions of the layer below.
        coordinates: of each column on the grid, (positions, axes).
        spacing: distance along each axis, in columns, from which receptive fields do not overlap.
        cells: per column; None for the number that the network has elsewhere.
        pools: columns that are pooled for the layer above, (positions sent, n); None without pooling.
        pooling: mean or maximum of the pooled columns, cell by cell.
        places: columns that share a dendrite, (places, n); None where every column has its own.
    """

    grid: tuple[int, ...]
    fields: Table
    below: int
    coordinates: Table
    spacing: tuple[int, ...]
    cells: int | None = None
    pools: Table | None = None
    pooling: Pooling = "mean"
    places: Table | None = None

    @property
    def positions(self) -> int:
        """Number of columns."""
        return len(self.fields)

    @property
    def sent(self) -> int:
        """Number of positions that the layer above receives: columns, or pools of columns."""
        return self.positions if self.pools is None else len(self.pools)

    @property
    def sent_grid(self) -> tuple[int, ...]:
        """Shape of the grid that the layer above receives."""
        return self.grid if self.pools is None else tuple(n // self._block for n in self.grid)

    @property
    def _block(self) -> int:
        return 1 if self.pools is None else round(self.pools.shape[1] ** (1 / len(self.grid)))

    @property
    def padded(self) -> bool:
        """Whether receptive fields reach beyond the edge of the layer below."""
        return bool((self.fields == self.below).any())

    @cached_property
    def contiguous(self) -> bool:
        """Whether its receptive fields, concatenated, are the positions of the layer below in order, as in a tree."""
        return bool(np.array_equal(self.fields.ravel(), np.arange(self.below)))


@dataclass(frozen=True, eq=False)
class Topology:
    """Layers of columns on top of an input.

    >>> topology = tree(depth=2, size=3, channels=8)
    >>> topology.inputs, topology.positions
    (9, (3, 1))

    Attributes:
        grid: number of positions of the input along each axis.
        channels: values at each position of the input.
        layers: lowest first.
    """

    grid: tuple[int, ...]
    channels: int
    layers: tuple[Columns, ...]

    @property
    def inputs(self) -> int:
        """Number of positions of the input."""
        return math.prod(self.grid)

    @property
    def depth(self) -> int:
        """Number of layers."""
        return len(self.layers)

    @property
    def positions(self) -> tuple[int, ...]:
        """Number of columns of each layer."""
        return tuple(layer.positions for layer in self.layers)

    def ancestors(self, layer: int, above: int) -> Table:
        """Find, for each column of a layer, its ancestor in a layer above.

        >>> tree(depth=3, size=2, channels=8).ancestors(layer=1, above=1).tolist()
        [0, 0, 1, 1]

        Args:
            layer: number of the layer, from 1.
            above: how many layers above; 0 for the layer itself.

        Returns:
            Indices, (positions,); empty where there are not so many layers, or where receptive fields overlap or
            columns are pooled in between.
        """
        indices = np.arange(self.layers[layer - 1].positions)
        if layer + above > self.depth:
            return indices[:0]
        for lower, upper in pairwise(self.layers[layer - 1 : layer + above]):
            if not upper.contiguous or lower.pools is not None:
                return indices[:0]
            indices = indices // upper.fields.shape[1]
        return indices


def convolution(grid: tuple[int, ...], size: int, stride: int, cells: int | None = None, padding: int = 0) -> Columns:
    """Build a layer whose receptive fields are windows of the layer below, as in a convolution.

    With a stride equal to the size, receptive fields do not overlap, and a stack of such layers is a tree. A window is
    never wider than an axis; the last positions of an axis are not seen where the stride does not reach them.

    >>> convolution((5,), size=3, stride=2).fields.tolist()
    [[0, 1, 2], [2, 3, 4]]

    Args:
        grid: number of positions below along each axis.
        size: of a window along each axis, in positions.
        stride: from one window to the next, in positions.
        cells: per column; None for the number that the network has elsewhere.
        padding: silent positions beyond each edge of every axis, less than ``size``.
    """
    sizes = [min(size, n + 2 * padding) for n in grid]
    starts = [np.arange(0, n + 2 * padding - k + 1, stride) for n, k in zip(grid, sizes, strict=True)]
    spacing = tuple(-(-k // stride) for k in sizes)
    return _windows(grid, sizes, starts, spacing, cells, padding)


def spread(grid: tuple[int, ...], columns: tuple[int, ...], cells: int | None = None) -> Columns:
    """Build a layer of a given number of columns whose receptive fields together cover all positions.

    Fields overlap where the number of columns along an axis does not divide the number of positions.

    >>> spread((5,), columns=(2,)).fields.tolist()
    [[0, 1, 2], [2, 3, 4]]

    Args:
        grid: number of positions below along each axis.
        columns: number of columns along each axis, at most as many as positions.
        cells: per column; None for the number that the network has elsewhere.
    """
    sizes = [-(-n // count) for n, count in zip(grid, columns, strict=True)]
    starts = [
        np.round(np.linspace(0, n - k, count)).astype(np.intp) for n, k, count in zip(grid, sizes, columns, strict=True)
    ]
    spacing = [1 if len(start) == 1 or min(np.diff(start)) >= k else 2 for start, k in zip(starts, sizes, strict=True)]
    return _windows(grid, sizes, starts, tuple(spacing), cells)


def all_to_all(grid: tuple[int, ...], cells: int | None = None) -> Columns:
    """Build a layer of one column whose receptive field is the whole layer below.

    >>> all_to_all((2, 2)).fields.tolist()
    [[0, 1, 2, 3]]

    Args:
        grid: number of positions below along each axis.
        cells: of the column; None for the number that the network has elsewhere.
    """
    return convolution(grid, max(grid), max(grid), cells)


def pooled(columns: Columns, block: int, pooling: Pooling) -> Columns:
    """Pool the output of a layer over blocks of its columns.

    >>> pooled(convolution((8,), size=2, stride=2), block=2, pooling="max").pools.tolist()
    [[0, 1], [2, 3]]

    Args:
        columns: the layer.
        block: columns in a block along each axis.
        pooling: mean or maximum of a block, cell by cell.

    Raises:
        UserError: where a block is larger than the layer.
    """
    if block > min(columns.grid):
        raise UserError(f"pool = {block}: the layer has {' x '.join(map(str, columns.grid))} columns (pool fewer)")
    return replace(columns, pools=convolution(columns.grid, block, block).fields, pooling=pooling)


def blocks(grid: tuple[int, ...], count: int) -> Table:
    """Divide a grid into ``count`` blocks of equal size along each axis; a remainder at the far edges is left out.

    >>> blocks((5,), count=2).tolist()
    [[0, 1], [2, 3]]

    Args:
        grid: number of positions along each axis.
        count: of blocks along each axis.

    Returns:
        Positions of each block, (blocks, n).

    Raises:
        UserError: where there are fewer positions than blocks.
    """
    if count > min(grid):
        raise UserError(f"places = {count}: the layer sends {' x '.join(map(str, grid))} positions (at most so many)")
    sizes = [n // count for n in grid]
    starts = [np.arange(count) * k for k in sizes]
    return _windows(grid, sizes, starts, (1,) * len(grid), None).fields


def with_places(columns: Columns, places: int) -> Columns:
    """Divide a layer into places, blocks of columns that share a dendrite.

    >>> with_places(convolution((4,), size=1, stride=1), places=2).places.tolist()
    [[0, 1], [2, 3]]

    Args:
        columns: the layer; blocks consist of whole pools of it.
        places: along each axis, of what the layer sends.

    Raises:
        UserError: where there are fewer positions than places.
    """
    found = blocks(columns.sent_grid, places)
    return replace(columns, places=found if columns.pools is None else columns.pools[found].reshape(len(found), -1))


def stacked(grid: tuple[int, ...], channels: int, layers: tuple[Columns, ...]) -> Topology:
    """Stack layers on an input, and renumber columns so that those under one parent are consecutive, as in a tree.

    >>> first = convolution((4, 4), size=2, stride=2)
    >>> stacked((4, 4), channels=3, layers=(first, all_to_all(first.grid))).positions
    (4, 1)

    Args:
        grid: number of positions of the input along each axis.
        channels: values at each position of the input.
        layers: lowest first.

    Raises:
        UserError: where a layer is built for another number of positions than there are below it.
    """
    below = math.prod(grid)
    for number, layer in enumerate(layers, 1):
        if layer.below != below:
            raise UserError(f"layer {number}: is made for {layer.below} positions below, and there are {below}")
        below = layer.sent
    ordered = list(layers)
    for k in range(len(ordered) - 2, -1, -1):
        lower, upper = ordered[k], ordered[k + 1]
        order = upper.fields.ravel()
        if lower.pools is None and np.array_equal(np.sort(order), np.arange(lower.positions)):
            places = None if lower.places is None else np.argsort(order)[lower.places]
            ordered[k] = replace(lower, fields=lower.fields[order], coordinates=lower.coordinates[order], places=places)
            ordered[k + 1] = replace(upper, fields=np.arange(order.size).reshape(upper.fields.shape))
    return Topology(grid, channels, tuple(ordered))


def tree(depth: int, size: int, channels: int) -> Topology:
    """Build a tree: ``size**depth`` positions in a row, and columns with ``size`` positions or columns below each.

    >>> tree(depth=3, size=2, channels=8).positions
    (4, 2, 1)

    Args:
        depth: number of layers.
        size: positions in a receptive field.
        channels: values at each position of the input.
    """
    layers: list[Columns] = []
    grid: tuple[int, ...] = (size**depth,)
    for _ in range(depth):
        layers.append(convolution(grid, size, size))
        grid = layers[-1].grid
    return stacked((size**depth,), channels, tuple(layers))


def pyramid(grid: tuple[int, ...], channels: int, depth: int, size: int = 2) -> Topology:
    """Build a tree over any grid: one column on top, and ``size`` times as many along each axis in each layer below.

    The receptive fields of the lowest layer divide the input. An axis with too few positions branches in fewer layers.

    >>> [layer.grid for layer in pyramid((8, 8), channels=1, depth=3).layers]
    [(4, 4), (2, 2), (1, 1)]

    Args:
        grid: number of positions of the input along each axis.
        channels: values at each position of the input.
        depth: number of layers.
        size: columns under one column above, along each axis.

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
    padding: int = 0,
) -> Columns:
    """Build the layer whose receptive fields are windows of these sizes that start at these positions of each axis."""
    below = math.prod(grid)
    numbers = np.pad(np.arange(below).reshape(grid), padding, constant_values=below)
    shape = tuple(len(axis) for axis in starts)
    coordinates = np.stack([axis.ravel() for axis in np.indices(shape)], 1)
    fields = [
        numbers[tuple(slice(s[i], s[i] + k) for s, i, k in zip(starts, place, sizes, strict=True))].ravel()
        for place in coordinates
    ]
    return Columns(shape, np.array(fields, dtype=np.intp), below, coordinates, spacing, cells)
