"""Samples on a grid whose random views are windows, enlarged to the whole grid, of another contrast."""

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from cortexsim.tasks.data import ArrayData

SMALLEST = 0.7  # Of a window, along each axis, as a share of the grid.
FAINTEST = 0.6  # Contrast of a view.


@dataclass(frozen=True)
class GridData(ArrayData):
    """Samples stored as arrays, on a grid, with random views.

    Attributes:
        grid: number of positions along each axis.

    >>> from cortexsim.seeds import stream
    >>> data = GridData(np.ones((3, 8, 1), np.float32), np.array([0, 1, -1]), grid=(8,))
    >>> view = data[:2].second_view(1, stream(0, "view")).inputs  # Of lower contrast, and elsewhere on the grid.
    >>> view.shape, bool((view < 1).all())
    ((2, 8, 1), True)
    """

    grid: tuple[int, ...]

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "GridData":
        return replace(self, inputs=self.inputs[chosen], labels=self.labels[chosen])

    def second_view(self, layer: int, generator: np.random.Generator) -> "GridData":
        """Draw a random window of every sample, of random size along each axis, and a random contrast.

        Args:
            layer: number of the layer; has no effect.
            generator: source of randomness.
        """
        values = self.inputs.reshape(len(self), *self.grid, -1)
        for axis, size in enumerate(self.grid, 1):
            width = generator.uniform(SMALLEST, 1, len(self)) * (size - 1)
            start = generator.uniform(0, 1, len(self)) * (size - 1 - width)
            values = _resampled(values, start[:, None] + width[:, None] * np.linspace(0, 1, size), axis)
        contrast = generator.uniform(FAINTEST, 1, (len(self), 1, 1))
        return replace(self, inputs=(contrast * values.reshape(self.inputs.shape)).astype(np.float32))


@dataclass(frozen=True)
class Reordered(GridData):
    """Samples whose positions are in another order, the same for all, while their views are windows of the first order.

    Attributes:
        order: place in the first order of each position, (positions,).
    """

    order: NDArray[np.integer]

    @classmethod
    def of(cls, data: GridData, order: NDArray[np.integer]) -> "Reordered":
        """Reorder samples.

        >>> data = GridData(np.array([[[0.5], [1.0]]], np.float32), np.array([0]), grid=(2,))
        >>> Reordered.of(data, np.array([1, 0])).inputs.ravel().tolist()
        [1.0, 0.5]
        """
        return cls(data.inputs[:, order], data.labels, data.grid, order)

    def second_view(self, layer: int, generator: np.random.Generator) -> "Reordered":
        """Draw a view of every sample in the first order, as `GridData.second_view` does, and reorder it."""
        first = GridData(self.inputs[:, np.argsort(self.order)], self.labels, self.grid)
        return self.of(first.second_view(layer, generator), self.order)


def _resampled(values: NDArray[np.floating], places: NDArray[np.float64], axis: int) -> NDArray[np.floating]:
    """Interpolate values along an axis at other places in every sample, (samples, size)."""
    lower = np.clip(np.floor(places).astype(np.intp), 0, values.shape[axis] - 2)
    shape = [len(values), *([1] * (values.ndim - 1))]
    shape[axis] = places.shape[1]
    below, share = lower.reshape(shape), (places - lower).reshape(shape)
    one, other = (np.take_along_axis(values, index, axis) for index in (below, below + 1))
    return one + share * (other - one)
