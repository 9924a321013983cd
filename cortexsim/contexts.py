"""Contexts: which other activity a dendrite hears. Every result names its context, for some of them cost labels."""

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
    """Say whom a dendrite hears.

    Attributes:
        name: as models write it; several are joined by ``+``.
        meaning: in words.
        heard: of a topology and one of its layers, counted from 1: which columns of that layer each one hears,
            (positions, n), with n = 0 where there are none; None where what is heard is not of the layer.
        places: how many columns in a row hear from columns in places of their own, and so have synapses of their own
            where the layer shares its weights.
        second_view: whether they are heard in a second view of the sample, which the task has to offer.
        labelled: whether it tells the label.
        alone: whether a column that is alone in its layer learns from it.
        substrates: which layers can hear it.
    """

    name: str
    meaning: str
    heard: Callable[[Topology, int], Table] | None = None
    places: Callable[[Topology, int], int] = lambda topology, layer: 1
    second_view: bool = False
    labelled: bool = False
    alone: bool = False
    substrates: frozenset[str] = RATE


def _itself(topology: Topology, layer: int) -> Table:
    return np.arange(topology.layers[layer - 1].positions)[:, None]


def _relatives(topology: Topology, layer: int, span: int) -> Table:
    """Name the columns whose first common ancestor is so many layers above, in the order of their places."""
    family, nearer = topology.ancestors(layer, span), topology.ancestors(layer, span - 1)
    if not family.size:
        return np.empty((topology.layers[layer - 1].positions, 0), dtype=np.intp)
    related = (family[:, None] == family) & (nearer[:, None] != nearer)
    return np.nonzero(related)[1].reshape(len(family), -1)


def _family(topology: Topology, layer: int, span: int) -> int:
    """Count the columns that have their ancestor so many layers above in common."""
    family = topology.ancestors(layer, span)
    return int((family == 0).sum()) if family.size else 1


def _others(topology: Topology, layer: int) -> Table:
    own = np.arange(topology.layers[layer - 1].positions)
    return np.nonzero(own[:, None] != own)[1].reshape(len(own), -1)


def _neighbours(topology: Topology, layer: int) -> Table:
    """Name the nearest columns, in each direction, whose receptive fields do not overlap one's own.

    At an edge, the one on the other side is heard in the place of the one that is not there; the farthest where a layer
    is too small.
    """
    columns = topology.layers[layer - 1]
    found = []
    for axis, (size, distance) in enumerate(zip(columns.grid, columns.spacing, strict=True)):
        for step in (-distance, distance) if size > 1 else ():
            found.append(_apart(columns, tuple(step if axis == other else 0 for other in range(len(columns.grid)))))
    return np.stack(found, 1) if found else np.empty((columns.positions, 0), dtype=np.intp)


def _apart(columns: Columns, steps: tuple[int, ...]) -> Table:
    """Name the column so many steps away along each axis, for each column: (positions,)."""
    number = np.empty(columns.grid, dtype=np.intp)
    number[tuple(columns.places.T)] = np.arange(columns.positions)
    place = columns.places.copy()
    for axis, (size, step) in enumerate(zip(columns.grid, steps, strict=True)):
        own = columns.places[:, axis]
        there = np.where((own + step >= 0) & (own + step < size), own + step, own - step)
        farthest = np.where(own < size / 2, size - 1, 0)
        place[:, axis] = np.where((there >= 0) & (there < size), there, farthest)
    return number[tuple(place.T)]


def _at_offset(topology: Topology, layer: int, steps: tuple[int, ...]) -> Table:
    columns = topology.layers[layer - 1]
    if len(steps) != len(columns.grid):
        raise UserError(f"offset({','.join(map(str, steps))}): columns have {len(columns.grid)} axes (a step for each)")
    if any(abs(step) >= size for step, size in zip(steps, columns.grid, strict=True)):
        return np.empty((columns.positions, 0), dtype=np.intp)
    return _apart(columns, steps)[:, None]


def _in_second_view(topology: Topology, layer: int) -> Table:
    """Columns of a second view count on from those of the first."""
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
                lambda topology, layer: _family(topology, layer, 1),
                substrates=ALL,
            ),
            Context(
                "cousin",
                "every patch under the same grandparent but another parent, or else siblings: no label needed",
                lambda topology, layer: _relatives(topology, layer, 2),
                lambda topology, layer: _family(topology, layer, 2),
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
                alone=True,
            ),
            Context(
                "top", "the other columns of the highest layer that learns, not the one above oneself: no label needed"
            ),
            Context("label", "the label population, one cell a class: supervised", labelled=True, substrates=ALL),
        )
    }
)
"""The contexts that there are, by name; a dendrite may hear several, as in ``sibling+label``: see `find` too."""


OFFSET = re.compile(r"offset\((-?\d+(?:,-?\d+)*)\)")


def find(name: str) -> Context | None:
    """Find a context by its name; ``offset(1,0)`` is the column one row further on a grid of rows and columns."""
    if match := OFFSET.fullmatch(name):
        steps = tuple(int(step) for step in match[1].split(","))
        if any(steps):
            meaning = "the column so many steps away along each axis, or at an edge on the other side: no label needed"
            return Context(name, meaning, partial(_at_offset, steps=steps), substrates=ALL)
    return CONTEXTS.get(name)


def named(context: str) -> list[str]:
    """Take the name of a context apart: what a dendrite hears of its own layer, and what comes from elsewhere."""
    return [name for name in context.split("+") if name != "none"]


def within(context: str) -> list[Context]:
    """Find those contexts in a name that are columns of the layer itself, in this view or a second one."""
    every = (find(name) for name in named(context))
    return [found for found in every if found is not None and found.heard is not None]


def teaches_alone(context: str) -> bool:
    """Whether a column that is alone in its layer learns from something in a context."""
    return any(found.alone for found in within(context))


def second_views(context: str) -> list[str]:
    """Name those contexts in a name that need second views of the samples."""
    return [found.name for found in within(context) if found.second_view]


def heard(context: str, topology: Topology, layer: int) -> Table:
    """Name the columns of its own layer that each column hears, (positions, n), context by context.

    Those of a second view count on from those of the first.
    """
    nobody = np.empty((topology.layers[layer - 1].positions, 0), dtype=np.intp)
    tables = [found.heard(topology, layer) for found in within(context) if found.heard is not None]
    return np.concatenate([nobody, *tables], 1)
