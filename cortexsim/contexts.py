"""Contexts: which other activity a dendrite hears. Every result names its context, for some of them cost labels."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

CONTEXTS: Mapping[str, str] = MappingProxyType(
    {
        "none": "the dendrite hears nothing",
        "fixation": "the column itself, in the same fixation: no label needed",
        "sibling": "every other patch under the same parent, in the same sample: no label needed",
        "cousin": "every patch under the same grandparent but another parent, or else siblings: no label needed",
        "synonym": "the column itself in a second view, its tuple a synonym of this one; privileged: needs the grammar",
        "top": "the other columns of the highest layer that learns, not the one above oneself: no label needed",
        "label": "the label population, one cell a class: supervised",
    }
)
"""The contexts that there are; a dendrite may hear several, as in ``sibling+label``."""

SPANS: Mapping[str, int] = MappingProxyType({"fixation": 0, "synonym": 0, "sibling": 1, "cousin": 2})
"""How many levels up a column and those that it hears have their common ancestor."""


def named(context: str) -> list[str]:
    """Take the name of a context apart: what a dendrite hears of its own layer, and what comes from elsewhere."""
    return [name for name in context.split("+") if name != "none"]


def heard(source: str, positions: int, tuple_size: int) -> NDArray[np.intp]:
    """Name the patches that each patch hears, in order of their place; those of a second view count on from the first.

    Args:
        source: one of `SPANS`.
        positions: patches of the layer.
        tuple_size: s, patches under one parent.

    Returns:
        (positions, n), with n = 0 where the tree above has not so many levels.
    """
    span = SPANS[source]
    own, block = np.arange(positions), tuple_size**span
    if source == "synonym":
        return positions + own[:, None]
    if positions < block:
        return np.empty((positions, 0), dtype=np.intp)
    everyone = (own - own % block)[:, None] + np.arange(block)
    near = tuple_size ** (span - 1) if span else 0
    return everyone[everyone // near != own[:, None] // near].reshape(positions, -1) if near else everyone


def siblings(positions: int, tuple_size: int) -> NDArray[np.intp]:
    """Name the other patches under the same parent, for each patch: (positions, s - 1), in order of their place."""
    return heard("sibling", positions, tuple_size)
