"""Contexts: which other activity a dendrite hears.

A context is part of every result: `sibling` needs no label, `label` is supervised.
"""

import numpy as np
from numpy.typing import NDArray


def siblings(positions: int, tuple_size: int) -> NDArray[np.intp]:
    """Name the other patches under the same parent, for each patch: (positions, s - 1).

    Row p lists the positions of its siblings in order of their place; the top patch, alone, has no row to give.
    """
    place = np.arange(tuple_size)
    others = np.array([[other for other in place if other != own] for own in place], dtype=np.intp)
    return (np.arange(0, positions, tuple_size)[:, None, None] + others).reshape(positions, tuple_size - 1)


def label(labels: NDArray[np.integer], classes: int) -> NDArray[np.float32]:
    """Let the label population speak: one cell a class, (samples, classes)."""
    return np.eye(classes, dtype=np.float32)[labels]
