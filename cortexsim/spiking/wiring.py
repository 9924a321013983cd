"""Wiring: which cells are connected, in the order in which the compiled program runs through them.

Every function gives one entry for each synapse, presynaptic cell by presynaptic cell.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

from cortexsim.seeds import stream


class Connectivity(NamedTuple):
    """Synapses, each given by its two cells and its weight.

    Attributes:
        pre: presynaptic cells, (synapses,).
        post: postsynaptic cells, (synapses,).
        place: index of the weight in the flattened weight tensor, (positions, cells, presynaptic cells); (synapses,).
    """

    pre: np.ndarray
    post: np.ndarray
    place: np.ndarray


def patches(positions: int, cells: int, patch: int) -> Connectivity:
    """Connect every column all-to-all with its own patch of the layer below.

    >>> patches(positions=2, cells=1, patch=2).pre
    array([0, 1, 2, 3], dtype=int32)
    """
    position, pre, cell = np.ogrid[:positions, :patch, :cells]
    return _flat(position * patch + pre, position * cells + cell, (position * cells + cell) * patch + pre)


def table(sources: Sequence[Sequence[int]], below: int, width: int, cells: int) -> Connectivity:
    """Connect every column all-to-all with the positions that its row of an index table names.

    Args:
        sources: presynaptic positions of each column, (positions, k).
        below: how many presynaptic positions there are.
        width: presynaptic cells of a position.
        cells: postsynaptic cells of a column.
    """
    index = np.asarray(sources)
    count = index.shape[1]
    entries = np.argsort(index.ravel(), kind="stable")  # By source, and of each in the order of the columns.
    found = []
    for source, targets in enumerate(np.split(entries, np.searchsorted(index.ravel()[entries], np.arange(1, below)))):
        pre, _, cell = np.ogrid[:width, : len(targets), :cells]
        p, m = (numbers[None, :, None] for numbers in np.divmod(targets, count))
        found.append(_flat(source * width + pre, p * cells + cell, ((p * cells + cell) * count + m) * width + pre))
    return Connectivity(*(np.concatenate(parts) for parts in zip(*found, strict=True)))


def returning(targets: Sequence[Sequence[int]], width: int, cells: int) -> Connectivity:
    """Connect every cell of a column with the cells at the positions below that its column sees.

    >>> returning([[0], [1]], width=2, cells=1).post
    array([0, 1, 2, 3], dtype=int32)

    Args:
        targets: postsynaptic positions of each column, (positions, k).
        width: postsynaptic cells of a position.
        cells: presynaptic cells of a column.
    """
    index = np.asarray(targets)
    position, cell, place, post = np.ogrid[: index.shape[0], :cells, : index.shape[1], :width]
    below = (position * index.shape[1] + place) * width + post
    return _flat(position * cells + cell, index[:, None, :, None] * width + post, below * cells + cell)


def onward(sources: Sequence[Sequence[int]], cells: int, kinds: int = 1) -> Connectivity:
    """Connect every column with cells of its own position, by copies of the context synapses that it has elsewhere.

    Args:
        sources: columns that are the context of each column, (positions, n).
        cells: of a column.
        kinds: of postsynaptic cells, of each of which a column has as many as it has cells, with the same weights.
    """
    pre, post, place = (part.reshape(-1, 1, cells) for part in table(sources, len(sources), cells, cells))
    kind = np.arange(kinds)[:, None]
    return _flat(pre, (pre // cells * kinds + kind) * cells + post % cells, place)


def on_off(positions: int, cells: int, patch: int) -> Connectivity:
    """Connect every column with ON cells, and by copies of the same weights with as many OFF cells.

    >>> on_off(positions=1, cells=1, patch=2).place
    array([0, 0, 1, 1])

    Args:
        positions: columns.
        cells: ON cells of a column.
        patch: presynaptic cells of a column.
    """
    position, pre, polarity, cell = np.ogrid[:positions, :patch, :2, :cells]
    post = (position * 2 + polarity) * cells + cell
    return _flat(position * patch + pre, post, (position * cells + cell) * patch + pre)


def broadcast(sources: int, targets: int, slots: int = 1) -> Connectivity:
    """Connect every source, and those of each slot, with every target; all slots have the weights of the first.

    >>> broadcast(sources=2, targets=1, slots=2).place
    array([0, 1, 0, 1])
    """
    slot, source, target = np.ogrid[:slots, :sources, :targets]
    return _flat(slot * sources + source, target, target * sources + source)


def same_index(sources: Sequence[Sequence[int]], cells: int, kinds: int = 1) -> Connectivity:
    """Connect every cell with the cells of its index in other columns of its layer.

    >>> same_index([[1], [0]], cells=2).post
    array([2, 3, 0, 1], dtype=int32)

    Args:
        sources: presynaptic columns of each column, (positions, n).
        cells: of a column.
        kinds: of postsynaptic cells, of each of which a column has as many as it has cells.
    """
    index = np.asarray(sources)
    column, place, kind, cell = np.ogrid[: index.shape[0], : index.shape[1], :kinds, :cells]
    post = (column * kinds + kind) * cells + cell
    found = _flat(index[..., None, None] * cells + cell, post, post * index.shape[1] + place)
    by_source = np.argsort(found.pre, kind="stable")
    return Connectivity(*(values[by_source] for values in found))


def aligned(units: int) -> Connectivity:
    """Connect each of so many sources with the target of the same number."""
    source = np.arange(units)
    return _flat(source, source, source)


def gather(positions: int, cells: int) -> Connectivity:
    """Connect the cells of every column with one target a column."""
    position, cell = np.ogrid[:positions, :cells]
    return _flat(position * cells + cell, position, position * cells + cell)


def scatter(positions: int, cells: int, slots: int = 1) -> Connectivity:
    """Connect one source a column, and of each slot, with the cells of the column."""
    slot, position, cell = np.ogrid[:slots, :positions, :cells]
    place = (slot * positions + position) * cells + cell
    return _flat(slot * positions + position, position * cells + cell, place)


def shift(units: int, slots: int) -> Connectivity:
    """Connect the units of every slot with the same units of the next slot."""
    source = np.arange(units * (slots - 1))
    return _flat(source, source + units, source)


def random(sources: int, targets: int, probability: float, seed: int, itself: bool = True) -> Connectivity:
    """Connect each source with each target with a probability.

    Args:
        sources: how many presynaptic cells.
        targets: how many postsynaptic cells.
        probability: of a synapse.
        seed: of the draw.
        itself: whether a source may be connected with the target of its number.
    """
    drawn = stream(seed, "wiring").random((sources, targets)) < probability
    if not itself:
        np.fill_diagonal(drawn, False)
    return _numbered(drawn)


def neighbourhood(sources: int, targets: int, width: float, seed: int) -> Connectivity:
    """Connect sources with targets that lie near them on a line, with a probability exp(-(distance / width)^2).

    Args:
        sources: how many presynaptic cells, at the places 0, 1, ...
        targets: how many postsynaptic cells, evenly spaced from 0 to ``sources``.
        width: in places.
        seed: of the draw.
    """
    distance = np.arange(sources)[:, None] - np.linspace(0, sources, targets)
    drawn = stream(seed, "wiring").random((sources, targets))
    return _numbered(drawn < np.exp(-((distance / width) ** 2)))


def _numbered(connected: np.ndarray) -> Connectivity:
    """Number the synapses of a matrix, (sources, targets), that says which cells are connected."""
    pre, post = np.nonzero(connected)
    return _flat(pre, post, np.arange(len(pre)))


def _flat(pre: np.ndarray, post: np.ndarray, place: np.ndarray) -> Connectivity:
    pre, post, place = np.broadcast_arrays(pre, post, place)
    return Connectivity(pre.ravel().astype(np.int32), post.ravel().astype(np.int32), place.ravel())


WIRINGS: dict[str, Callable[..., Connectivity]] = {
    "aligned": aligned,
    "broadcast": broadcast,
    "gather": gather,
    "neighbourhood": neighbourhood,
    "on_off": on_off,
    "onward": onward,
    "patches": patches,
    "random": random,
    "returning": returning,
    "same_index": same_index,
    "scatter": scatter,
    "shift": shift,
    "table": table,
}
"""By the name that a description uses."""


def connectivity(kind: str, sizes: Mapping[str, Any]) -> Connectivity:
    """Connect cells by the name of a wiring and its arguments."""
    return WIRINGS[kind](**sizes)
