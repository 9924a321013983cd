"""Means, slopes and their confidence intervals from a few repetitions, by Student's t."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEVEL = 0.95  # Of all confidence intervals.


@dataclass(frozen=True)
class Estimate:
    """An estimate and its 95 % confidence interval, which a single value does not have."""

    mean: float
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Slope:
    """The slope of a straight line, its standard error, its 95 % confidence interval, and the number of points."""

    value: float
    error: float
    low: float
    high: float
    points: int


def geometric_mean(values: Sequence[float], shared_error: float = 0.0) -> Estimate:
    """Estimate the geometric mean of positive values, with Student's interval of the mean of their logarithms.

    >>> round(geometric_mean([100, 200, 400]).mean, 6)
    200.0

    Args:
        values: (repetitions,), positive.
        shared_error: of all logarithms in common; added in quadrature to half the interval's width.
    """
    from scipy import stats  # Takes longer to import than most commands to run.

    logarithms = np.log(values)
    mean, count = float(logarithms.mean()), len(logarithms)
    if count < 2:
        return Estimate(math.exp(mean), None, None)
    half = math.hypot(_student(count - 1) * float(stats.sem(logarithms)), shared_error)
    return Estimate(math.exp(mean), math.exp(mean - half), math.exp(mean + half))


def slope(x: Sequence[float], y: Sequence[float]) -> Slope | None:
    """Fit y = a + b x by least squares.

    Args:
        x: (points,).
        y: (points,), with independent errors of equal variance.

    Returns:
        The slope b; None where fewer than three points, or a single x, leave no error to estimate.
    """
    from scipy import stats

    if len(x) < 3 or len(set(x)) < 2:
        return None
    line = stats.linregress(x, y)
    value, error = float(line.slope), float(line.stderr)
    half = _student(len(x) - 2) * error
    return Slope(value, error, value - half, value + half, len(x))


def _student(freedom: int) -> float:
    """The t that |t| stays below with probability `LEVEL`, for so many degrees of freedom."""
    from scipy import stats

    return float(stats.t.ppf((1 + LEVEL) / 2, freedom))
