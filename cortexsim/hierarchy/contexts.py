"""Contexts: which other activity a dendrite hears. Every result names its context, for some of them cost labels."""

from collections.abc import Mapping
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

CONTEXTS: Mapping[str, str] = MappingProxyType(
    {
        "none": "the dendrite hears nothing",
        "sibling": "every other patch under the same parent, in the same sample: no label needed",
        "label": "the label population, one cell a class: supervised, for the top layer, which has no sibling",
    }
)
"""The contexts that there are."""


def siblings(positions: int, tuple_size: int) -> NDArray[np.intp]:
    """Name the other patches under the same parent, for each patch: (positions, s - 1), in order of their place."""
    own = np.arange(positions)
    first = own - own % tuple_size
    everyone = first[:, None] + np.arange(tuple_size)
    return everyone[everyone != own[:, None]].reshape(positions, tuple_size - 1)
