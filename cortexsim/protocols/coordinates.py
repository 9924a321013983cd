"""Coordinates in which constants of a rule are fitted: near 1 in size, with the bounds that the rule implies."""

from collections.abc import Mapping

import numpy as np

LEAST, MOST = 1e-6, 1e4  # Of a time constant, s.
SPREAD = np.log(4.0)  # Starts are drawn from a quarter to four times a constant.
FARTHEST = np.log(8.0)  # How far a profile reaches at most, from an eighth to eight times.


class Coordinates:
    """Logarithms of time constants; other constants in units of their size.

    >>> Coordinates({"a": -3.0, "tau": 0.02}, {"tau"}).values(np.array([-2.0, np.log(2)]))
    {'a': -6.0, 'tau': 0.04}

    Args:
        start: constants by name, as the rule has them.
        times: names of those that are time constants, in s.

    Attributes:
        start: the same in coordinates, (constants,).
        low: bounds below, (constants,): 0 for a constant that is not negative.
        high: bounds above, (constants,): 0 for a negative constant.
    """

    def __init__(self, start: Mapping[str, float], times: set[str]) -> None:
        self.names, given = list(start), np.array(list(start.values()), dtype=float)
        self.logarithmic = np.array([name in times for name in self.names])
        sizes = np.abs(given[~self.logarithmic & (given != 0)])
        usual = float(np.median(sizes)) if len(sizes) else 1.0
        self.unit = np.where(given == 0, usual, np.abs(given))
        self.start = np.where(self.logarithmic, 0.0, given / self.unit)
        self.low = np.where(self.logarithmic, np.log(LEAST / self.unit), np.where(given < 0, -np.inf, 0.0))
        self.high = np.where(self.logarithmic, np.log(MOST / self.unit), np.where(given < 0, 0.0, np.inf))

    def values(self, at: np.ndarray) -> dict[str, float]:
        """Constants by name at coordinates, (constants,)."""
        return {name: self.value(i, each) for i, (name, each) in enumerate(zip(self.names, at, strict=True))}

    def value(self, index: int, coordinate: float) -> float:
        """One constant at its coordinate."""
        return float(self.unit[index] * (np.exp(coordinate) if self.logarithmic[index] else coordinate))

    def draw(self, generator: np.random.Generator) -> np.ndarray:
        """Draw coordinates about those of the rule, (constants,)."""
        logs = generator.uniform(-SPREAD, SPREAD, len(self.names))
        share = generator.uniform(0, 1, len(self.names))  # Of the usual size, for constants that are 0.
        linear = np.where(self.start == 0, share, self.start * np.exp(logs))
        return np.where(self.logarithmic, logs, linear)

    def reach(self, index: int, at: float, width: float) -> tuple[float, float]:
        """Ends of a profile about a coordinate: as wide as asked, but neither beyond bounds nor too far.

        Args:
            index: of the constant.
            at: the coordinate.
            width: to each side.
        """
        farthest = FARTHEST if self.logarithmic[index] else np.exp(FARTHEST) * max(abs(at), 0.1)
        side = min(width, float(farthest))
        return max(float(self.low[index]), at - side), min(float(self.high[index]), at + side)
