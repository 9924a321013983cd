"""Receptive fields of cells that see an image: tuning to gratings, ocular dominance, and drawings.

>>> field = gabor(size=13, frequency=0.15, orientation=0.5, spread=2.5)
>>> bool(orientation_selectivity(orientation_tuning(field[None]))[0] > 0.5)
True
"""

import math
from collections.abc import Sequence

import numpy as np
from matplotlib.axes import Axes
from numpy.typing import NDArray

from cortexsim.errors import UserError

Values = NDArray[np.floating]

ORIENTATIONS = tuple(math.pi * k / 12 for k in range(12))
FREQUENCIES = (0.06, 0.09, 0.12, 0.16, 0.2)  # Cycles per pixel.
PHASES = tuple(2 * math.pi * k / 12 for k in range(12))


def gratings(
    size: int,
    orientations: Sequence[float] = ORIENTATIONS,
    frequencies: Sequence[float] = FREQUENCIES,
    phases: Sequence[float] = PHASES,
) -> Values:
    """Draw sinusoidal gratings of amplitude 1, which fill a circle; outside it they are 0.

    Args:
        size: diameter of the circle, in pixels.
        orientations: of the bars, anticlockwise from the horizontal, in radians.
        frequencies: in cycles per pixel.
        phases: at the centre, in radians.

    Returns:
        (orientations, frequencies, phases, size, size).
    """
    rows, columns, radius = _plane(size)
    angle, frequency, phase = np.ix_(orientations, frequencies, phases)
    across = np.sin(angle)[..., None, None] * columns + np.cos(angle)[..., None, None] * rows
    waves = np.cos(2 * math.pi * frequency[..., None, None] * across - phase[..., None, None])
    return waves * (radius <= size / 2)


def gabor(size: int, frequency: float, orientation: float, spread: float, phase: float = 0.0) -> Values:
    """Draw a grating under a Gaussian: an oriented field; with frequency 0, one that has no orientation.

    Args:
        size: of the image, in pixels.
        frequency: in cycles per pixel.
        orientation: of the bars, anticlockwise from the horizontal, in radians.
        spread: standard deviation of the Gaussian, in pixels.
        phase: at the centre, in radians.

    Returns:
        (size, size).
    """
    rows, columns, radius = _plane(size)
    across = math.sin(orientation) * columns + math.cos(orientation) * rows
    return np.cos(2 * math.pi * frequency * across - phase) * np.exp(-(radius**2) / (2 * spread**2))


def orientation_tuning(fields: Values) -> Values:
    """Tuning of linear fields: the mean over frequencies and phases of the positive part of their responses.

    >>> waves = gratings(size=13)
    >>> int(orientation_tuning(waves[3, 0, :1])[0].argmax())  # A field that is a grating of the fourth orientation.
    3

    Args:
        fields: weights as images, (cells, rows, columns), with as many rows as columns.

    Returns:
        (cells, orientations).

    Raises:
        UserError: where the images are not square.
    """
    if fields.ndim != 3 or fields.shape[1] != fields.shape[2]:
        raise UserError(f"fields of shape {fields.shape}: not (cells, rows, columns) with as many rows as columns")
    pixels = fields.shape[1] * fields.shape[2]
    waves = gratings(fields.shape[2]).reshape(len(ORIENTATIONS), -1, pixels)
    return np.maximum(np.einsum("ogp,cp->cog", waves, fields.reshape(-1, pixels)), 0).mean(2)


def orientation_selectivity(tuning: Values, orientations: Sequence[float] = ORIENTATIONS) -> Values:
    """Compute one minus the circular variance of orientation tuning: |sum r exp(2 i angle)| / sum r.

    1 for a cell that responds to a single orientation, 0 for one that responds alike to all, or to none. Source:
    Ringach, Shapley, Hawken, "Orientation selectivity in macaque V1", J. Neuroscience 2002.

    Args:
        tuning: responses r, zero or more, (..., orientations).
        orientations: in radians, evenly spaced over half a turn.

    Returns:
        (...).
    """
    total = tuning.sum(-1)
    resultant = np.abs(tuning @ np.exp(2j * np.asarray(orientations)))
    return np.divide(resultant, total, out=np.zeros_like(resultant), where=total > 0)


def preferred_orientation(tuning: Values, orientations: Sequence[float] = ORIENTATIONS) -> Values:
    """Compute half the angle of the vector sum of orientation tuning, from 0 to pi; arguments as above.

    >>> round(float(preferred_orientation(np.eye(12)[3])), 3) == round(math.pi / 4, 3)
    True
    """
    return np.angle(tuning @ np.exp(2j * np.asarray(orientations))) / 2 % math.pi


def ocular_dominance(left: Values, right: Values) -> Values:
    """Compute the ocular dominance index (right - left) / (right + left), elementwise; 0 for a silent cell.

    >>> ocular_dominance(np.array([1.0, 0.0, 3.0]), np.array([1.0, 2.0, 1.0])).tolist()
    [0.0, 1.0, -0.5]

    Args:
        left: responses through the left eye, zero or more, of any shape.
        right: the same through the right eye.
    """
    left, right = np.asarray(left, dtype=float), np.asarray(right, dtype=float)
    total = right + left
    return np.divide(right - left, total, out=np.zeros_like(total), where=total > 0)


def draw_fields(axes: Axes, fields: Values, columns: int = 8) -> Axes:
    """Draw receptive fields as images side by side, each scaled to its own largest weight; return the axes.

    Args:
        axes: to draw into.
        fields: (cells, rows, columns), positive weights light and negative ones dark.
        columns: number of fields side by side.
    """
    cells, height, width = fields.shape
    sheet = np.full((-(-cells // columns) * (height + 1) - 1, columns * (width + 1) - 1), np.nan)
    for cell, field in enumerate(fields):
        row, column = divmod(cell, columns)
        top, left, largest = row * (height + 1), column * (width + 1), np.abs(field).max()
        sheet[top : top + height, left : left + width] = field / largest if largest > 0 else field
    axes.imshow(sheet, cmap="gray", vmin=-1, vmax=1, interpolation="nearest")
    axes.set_axis_off()
    return axes


def _plane(size: int) -> tuple[Values, Values, Values]:
    """Coordinates upwards and to the right from the centre of an image, and the distance from it, (size, size) each."""
    offset = np.arange(size) - (size - 1) / 2
    rows, columns = np.meshgrid(-offset, offset, indexing="ij")
    return rows, columns, np.hypot(rows, columns)
