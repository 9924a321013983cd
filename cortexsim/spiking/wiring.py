"""Wiring: which cells are connected, in the order in which the compiled program runs through them.

Every function answers (presynaptic, postsynaptic, place), one entry a synapse, presynaptic cell by presynaptic cell;
place is where the synapse's weight stands in the flattened weight tensor, (positions, cells, presynaptic cells).
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Wires = tuple[np.ndarray, np.ndarray, np.ndarray]


def patches(positions: int, cells: int, patch: int) -> Wires:
    """Connect every column all-to-all with its own patch of the layer below."""
    position, pre, cell = np.ogrid[:positions, :patch, :cells]
    return _flat(position * patch + pre, position * cells + cell, (position * cells + cell) * patch + pre)


def table(sources: Sequence[Sequence[int]], below: int, width: int, cells: int) -> Wires:
    """Connect every column all-to-all with the positions that its row of an index table names.

    Args:
        sources: (positions, k), of the presynaptic positions that each column hears or sees.
        below: how many presynaptic positions there are.
        width: presynaptic cells of a position.
        cells: postsynaptic cells of a column.
    """
    heard = np.asarray(sources)
    count = heard.shape[1]
    entries = np.argsort(heard.ravel(), kind="stable")  # By source, and of each in the order of the columns.
    found = []
    for source, targets in enumerate(np.split(entries, np.searchsorted(heard.ravel()[entries], np.arange(1, below)))):
        pre, _, cell = np.ogrid[:width, : len(targets), :cells]
        p, m = (numbers[None, :, None] for numbers in np.divmod(targets, count))
        found.append(_flat(source * width + pre, p * cells + cell, ((p * cells + cell) * count + m) * width + pre))
    pre, post, place = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return pre, post, place


def onward(sources: Sequence[Sequence[int]], cells: int) -> Wires:
    """Connect every column with cells of its own place, by the weights of the synapses that hear it elsewhere."""
    pre, post, place = table(sources, len(sources), cells, cells)
    return pre, (pre // cells * cells + post % cells).astype(np.int32), place


def broadcast(sources: int, targets: int, slots: int = 1) -> Wires:
    """Connect every source, and those of each slot, with every target; all slots have the weights of the first."""
    slot, source, target = np.ogrid[:slots, :sources, :targets]
    return _flat(slot * sources + source, target, target * sources + source)


def aligned(units: int) -> Wires:
    """Connect every source with the target of the same number."""
    source = np.arange(units)
    return _flat(source, source, source)


def gather(positions: int, cells: int) -> Wires:
    """Connect the cells of every column with one target a column."""
    position, cell = np.ogrid[:positions, :cells]
    return _flat(position * cells + cell, position, position * cells + cell)


def scatter(positions: int, cells: int, slots: int = 1) -> Wires:
    """Connect one source a column, and of each slot, with the cells of the column."""
    slot, position, cell = np.ogrid[:slots, :positions, :cells]
    place = (slot * positions + position) * cells + cell
    return _flat(slot * positions + position, position * cells + cell, place)


def shift(units: int, slots: int) -> Wires:
    """Connect the units of every slot with the same units of the next slot."""
    source = np.arange(units * (slots - 1))
    return _flat(source, source + units, source)


def _flat(pre: np.ndarray, post: np.ndarray, place: np.ndarray) -> Wires:
    pre, post, place = np.broadcast_arrays(pre, post, place)
    return pre.ravel().astype(np.int32), post.ravel().astype(np.int32), place.ravel()


WIRINGS: dict[str, Callable[..., Wires]] = {
    "aligned": aligned,
    "broadcast": broadcast,
    "gather": gather,
    "onward": onward,
    "patches": patches,
    "scatter": scatter,
    "shift": shift,
    "table": table,
}
"""By the name that a description uses."""


def wires(kind: str, sizes: Mapping[str, Any]) -> Wires:
    """Call a wiring by name."""
    return WIRINGS[kind](**sizes)
