"""Contexts: the sources of input to a dendrite, other than the feedforward input of its cell.

A context is named in a model, and every result names it, for some contexts cost labels. Those that consist of columns
of the same layer are index tables, computed from a topology:

>>> from cortexsim.topology import tree
>>> column_table("sibling", tree(depth=3, size=2, channels=8), layer=1).tolist()
[[1], [0], [3], [2]]
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from types import MappingProxyType

import numpy as np

from cortexsim.errors import UserError
from cortexsim.topology import Columns, Table, Topology

RATE, ALL = frozenset({"rate"}), frozenset({"rate", "spiking", "brian-rate"})


@dataclass(frozen=True)
class Context:
    """One source of dendritic input.

    >>> from cortexsim.topology import tree
    >>> sibling = find("sibling")
    >>> sibling.columns(tree(depth=2, size=3, channels=8), 1).tolist()
    [[1, 2], [0, 2], [0, 1]]
    >>> sibling.labelled, sorted(sibling.substrates)
    (False, ['brian-rate', 'rate', 'spiking'])

    Attributes:
        name: as models write it; several are joined by ``+``.
        meaning: in words.
        columns: function of a topology and the number of a layer, from 1, that returns the presynaptic columns of each
            column, indices of shape (positions, n), with n = 0 where there are none. None for a context that is not
            part of the layer.
        weight_groups: function of the same that returns how many consecutive columns need context weights of their own
            where a layer shares its weights, because their sources lie in different relative positions.
        second_view: whether the source is a second view of the sample, which the task must provide.
        paired: whether both views are random, drawn anew whenever a sample is shown, each the context of the other.
        labelled: whether it carries the label.
        single_column: whether a layer of one column can learn from it.
        substrates: of the layers that support it.
    """

    name: str
    meaning: str
    columns: Callable[[Topology, int], Table] | None = None
    weight_groups: Callable[[Topology, int], int] = lambda topology, layer: 1
    second_view: bool = False
    paired: bool = False
    labelled: bool = False
    single_column: bool = False
    substrates: frozenset[str] = RATE


def _itself(topology: Topology, layer: int) -> Table:
    return np.arange(topology.layers[layer - 1].positions)[:, None]


def _relatives(topology: Topology, layer: int, span: int) -> Table:
    """Find, for each column, those whose lowest common ancestor with it is ``span`` layers above, in order."""
    family, nearer = topology.ancestors(layer, span), topology.ancestors(layer, span - 1)
    if not family.size:
        return np.empty((topology.layers[layer - 1].positions, 0), dtype=np.intp)
    related = (family[:, None] == family) & (nearer[:, None] != nearer)
    return np.nonzero(related)[1].reshape(len(family), -1)


def _family_size(topology: Topology, layer: int, span: int) -> int:
    """Count the columns under one ancestor ``span`` layers above."""
    family = topology.ancestors(layer, span)
    return int((family == 0).sum()) if family.size else 1


def _others(topology: Topology, layer: int) -> Table:
    own = np.arange(topology.layers[layer - 1].positions)
    return np.nonzero(own[:, None] != own)[1].reshape(len(own), -1)


def _neighbours(topology: Topology, layer: int) -> Table:
    """Find the nearest columns, in each direction, whose receptive fields do not overlap with that of the column.

    At an edge, a missing neighbour is replaced by the one in the opposite direction; in a layer that is too small, by
    the farthest column.
    """
    columns = topology.layers[layer - 1]
    tables = []
    for axis, (size, distance) in enumerate(zip(columns.grid, columns.spacing, strict=True)):
        for step in (-distance, distance) if size > 1 else ():
            tables.append(_displaced(columns, tuple(step if axis == k else 0 for k in range(len(columns.grid)))))
    return np.stack(tables, 1) if tables else np.empty((columns.positions, 0), dtype=np.intp)


def _displaced(columns: Columns, steps: tuple[int, ...]) -> Table:
    """Find, for each column, the one displaced by ``steps`` along the axes of the grid, (positions,)."""
    number = np.empty(columns.grid, dtype=np.intp)
    number[tuple(columns.coordinates.T)] = np.arange(columns.positions)
    target = columns.coordinates.copy()
    for axis, (size, step) in enumerate(zip(columns.grid, steps, strict=True)):
        own = columns.coordinates[:, axis]
        there = np.where((own + step >= 0) & (own + step < size), own + step, own - step)
        farthest = np.where(own < size / 2, size - 1, 0)
        target[:, axis] = np.where((there >= 0) & (there < size), there, farthest)
    return number[tuple(target.T)]


def _at_offset(topology: Topology, layer: int, steps: tuple[int, ...]) -> Table:
    columns = topology.layers[layer - 1]
    if len(steps) != len(columns.grid):
        raise UserError(f"offset({','.join(map(str, steps))}): columns have {len(columns.grid)} axes (a step for each)")
    if any(abs(step) >= size for step, size in zip(steps, columns.grid, strict=True)):
        return np.empty((columns.positions, 0), dtype=np.intp)
    return _displaced(columns, steps)[:, None]


def _in_second_view(topology: Topology, layer: int) -> Table:
    """Number the columns of a second view from ``positions`` on, after those of the first."""
    return topology.layers[layer - 1].positions + _itself(topology, layer)


CONTEXTS: Mapping[str, Context] = MappingProxyType(
    {
        context.name: context
        for context in (
            Context("fixation", "the column itself, in the same fixation: no label needed", _itself),
            Context(
                "sibling",
                "every other patch under the same parent, in the same sample: no label needed",
                lambda topology, layer: _relatives(topology, layer, 1),
                lambda topology, layer: _family_size(topology, layer, 1),
                substrates=ALL,
            ),
            Context(
                "cousin",
                "every patch under the same grandparent but another parent, or else siblings: no label needed",
                lambda topology, layer: _relatives(topology, layer, 2),
                lambda topology, layer: _family_size(topology, layer, 2),
            ),
            Context(
                "neighbour",
                "the nearest columns, in each direction, whose receptive fields do not overlap: no label needed",
                _neighbours,
                substrates=ALL,
            ),
            Context(
                "others",
                "every other column of the layer: no label needed",
                _others,
                lambda topology, layer: topology.layers[layer - 1].positions,
                substrates=ALL,
            ),
            Context(
                "synonym",
                "the column itself in a second view, its tuple a synonym of this one; privileged: needs the grammar",
                _in_second_view,
                second_view=True,
            ),
            Context(
                "next",
                "the column itself in the next fixation of the same object: no label needed",
                _in_second_view,
                second_view=True,
                single_column=True,
                substrates=ALL,
            ),
            Context(
                "view",
                "the column itself in the other of two random views of the sample: no label needed",
                _in_second_view,
                second_view=True,
                paired=True,
                single_column=True,
            ),
            Context(
                "view-top",
                "the highest layer that learns, in the other of two random views of the sample: no label needed",
                paired=True,
                single_column=True,
            ),
            Context(
                "top", "the other columns of the highest layer that learns, not the one above oneself: no label needed"
            ),
            Context("label", "the label population, one cell per class: supervised", labelled=True, substrates=ALL),
        )
    }
)
"""The contexts by name, but for offsets (see `find`).

A dendrite may have several, as in ``sibling+label``; and cells several dendrites, each with a score of its own, as in
``view|view-top``.
"""


OFFSET = re.compile(r"offset\((-?\d+(?:,-?\d+)*)\)")


def find(name: str) -> Context | None:
    """Look up a context by its name; None if it is not known.

    ``offset(1,0)`` is the column displaced by one row on a grid of rows and columns; every other name is a key of
    `CONTEXTS`.

    >>> find("label").meaning
    'the label population, one cell per class: supervised'
    >>> from cortexsim.topology import tree
    >>> find("offset(1)").columns(tree(depth=3, size=2, channels=8), 1).tolist()
    [[1], [2], [3], [2]]
    >>> find("nephew") is None
    True
    """
    if match := OFFSET.fullmatch(name):
        steps = tuple(int(step) for step in match[1].split(","))
        if any(steps):
            meaning = "the column so many steps away along each axis, or at an edge on the other side: no label needed"
            return Context(name, meaning, partial(_at_offset, steps=steps), substrates=ALL)
    return CONTEXTS.get(name)


def split(context: str) -> list[str]:
    """Split the name of a context into its sources, on all dendrites.

    >>> split("sibling+label"), split("view|view-top"), split("none")
    (['sibling', 'label'], ['view', 'view-top'], [])
    """
    return [name for name in re.split(r"[+|]", context) if name != "none"]


def dendrites(context: str) -> list[str]:
    """Split the name of a context into those of the dendrites of a cell.

    >>> dendrites("view|view-top"), dendrites("sibling+label")
    (['view', 'view-top'], ['sibling+label'])
    """
    return context.split("|")


def in_layer(context: str) -> list[Context]:
    """List the sources in a name that are columns of the layer itself, in the same or in a second view.

    >>> [source.name for source in in_layer("sibling+label")]
    ['sibling']
    """
    sources = (find(name) for name in split(context))
    return [source for source in sources if source is not None and source.columns is not None]


def trains_single_column(context: str) -> bool:
    """Whether a layer of one column can learn from a source in a name."""
    sources = (find(name) for name in split(context))
    return any(source.single_column for source in sources if source is not None)


def second_views(context: str) -> list[str]:
    """List the sources in a name that need a second view of every sample, but for pairs of random views."""
    return [source.name for source in in_layer(context) if source.second_view and not source.paired]


def paired(context: str) -> bool:
    """Whether a source in a name needs pairs of random views."""
    sources = (find(name) for name in split(context))
    return any(source.paired for source in sources if source is not None)


def column_table(context: str, topology: Topology, layer: int) -> Table:
    """Compute the presynaptic columns of each column of a layer, source by source.

    Args:
        context: name, such as ``"sibling+cousin"``.
        topology: of the network.
        layer: number of the layer, from 1.

    Returns:
        Indices, (positions, n). Columns of a second view are numbered from ``positions`` on.

    Raises:
        UserError: where an offset has not one step for each axis of the layer.
    """
    empty = np.empty((topology.layers[layer - 1].positions, 0), dtype=np.intp)
    tables = [source.columns(topology, layer) for source in in_layer(context) if source.columns is not None]
    return np.concatenate([empty, *tables], 1)
