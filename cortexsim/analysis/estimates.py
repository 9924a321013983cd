"""Means, slopes and their confidence intervals from a few repetitions, by Student's t."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95


@dataclass(frozen=True)
class Estimate:
    """Hold an estimate and its 95 % interval, which a single value does not have."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Slope:
    """Hold the slope of a straight line, its standard error, its 95 % interval, and the number of points."""

    value: float
    error: float
    low: float
    high: float
    points: int


def student(freedom: int, level: float = LEVEL) -> float:
    """Find the t that so many degrees of freedom stay below in absolute value with a probability of ``level``.

    Source: Abramowitz & Stegun (1964), 26.7.3 and 26.7.4, inverted by bisection.
    """
    low, high = 0.0, math.pi / 2
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if _within(middle, freedom) < level else (low, middle)
    return math.tan(low) * math.sqrt(freedom)


def geometric_mean(values: Sequence[float], slack: float = 0.0) -> Estimate:
    """Average positive values by their logarithms, with the interval of the mean.

    Args:
        values: one a repetition.
        slack: by which all logarithms may be off in common; it is added to the interval in quadrature.
    """
    logarithms = np.log(values)
    mean, count = float(logarithms.mean()), len(logarithms)
    if count < 2:
        return Estimate(math.exp(mean), None, None)
    half = math.hypot(student(count - 1) * float(logarithms.std(ddof=1)) / math.sqrt(count), slack)
    return Estimate(math.exp(mean), math.exp(mean - half), math.exp(mean + half))


def slope(x: Sequence[float], y: Sequence[float]) -> Slope | None:
    """Fit y = a + b x by least squares; nothing where fewer than three points, or a single x, leave no error to state.

    Args:
        x: (points,).
        y: (points,), with independent errors of equal variance.
    """
    if len(x) < 3 or len(set(x)) < 2:
        return None
    across, up = np.asarray(x) - np.mean(x), np.asarray(y) - np.mean(y)
    spread, freedom = float(across @ across), len(x) - 2
    value = float(across @ up) / spread
    residual = up - value * across
    error = math.sqrt(float(residual @ residual) / freedom / spread)
    half = student(freedom) * error
    return Slope(value, error, value - half, value + half, len(x))


def _within(angle: float, freedom: int) -> float:
    """Give the probability that |t| stays below tan(angle) sqrt(freedom)."""
    cosine, power = math.cos(angle), freedom % 2
    term, total = cosine**power, 0.0
    while power <= freedom - 2:
        total += term
        power += 2
        term *= (power - 1) / power * cosine**2
    area = math.sin(angle) * total
    return 2 / math.pi * (angle + area) if freedom % 2 else area
