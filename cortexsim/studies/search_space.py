"""Search spaces: what the values of a random search are drawn from."""

import math
from collections.abc import Mapping
from typing import Annotated, Any

import numpy as np
from pydantic import AfterValidator, Field, ValidationError, model_validator

from cortexsim.config.validation import explain
from cortexsim.config.values import Number, Table

DIGITS = 3  # Significant digits of a drawn number.
MARGIN = 0.1  # Fraction of a range, at either end, in which a value counts as at the edge.


class Range(Table):
    """Numbers between two ends.

    Attributes:
        low: the lower end.
        high: the upper end.
        log: whether they are drawn log-uniformly rather than uniformly.
    """

    low: Number
    high: Number
    log: Annotated[bool, Field(strict=True)] = False

    @model_validator(mode="after")
    def _in_order(self) -> "Range":
        if not self.low < self.high:
            raise ValueError(f"low = {self.low:g} and high = {self.high:g}: low must be below high")
        if self.log and self.low <= 0:
            raise ValueError(f"low = {self.low:g}: a logarithm needs a low above 0")
        return self

    def at(self, share: float) -> float:
        """The number at a quantile of the range: ``share``, 0 to 1, of it lies below."""
        span = self.high / self.low if self.log else self.high - self.low
        found = self.low * span**share if self.log else self.low + span * share
        return float(f"{found:.{DIGITS}g}")

    def share(self, value: float) -> float:
        """The fraction of the range that lies below a number, 0 to 1."""
        if self.log and value <= 0:
            return 0.0
        if self.log:
            return math.log(value / self.low) / math.log(self.high / self.low)
        return (value - self.low) / (self.high - self.low)


def _is_range(value: Any) -> bool:
    """Whether a table is a range, and not, for instance, constants of a rule."""
    return isinstance(value, dict) and {"low", "high"} <= set(value)


def _with_ranges(values: list[Any]) -> list[Any]:
    for value in filter(_is_range, values):
        try:
            Range.model_validate(value)
        except ValidationError as error:
            raise ValueError(explain(error, Range)) from None
    return values


Choices = Annotated[list[Any], Field(min_length=1), AfterValidator(_with_ranges)]
Space = dict[str, Range | Choices]
"""By dotted key: a range, or a list of values, in which tables of low and high are ranges too."""


def draw(space: Mapping[str, Range | Choices], generator: np.random.Generator) -> dict[str, Any]:
    """Draw a value for every key.

    >>> draw({"training.eta": Range(low=0.001, high=0.1, log=True)}, np.random.default_rng(0))
    {'training.eta': 0.0188}

    Args:
        space: by dotted key.
        generator: of the random numbers.
    """
    return {key: _draw(values, generator) for key, values in space.items()}


def at_edges(values: Mapping[str, Any], space: Mapping[str, Range | Choices]) -> dict[str, str]:
    """Find the values at an edge of their space, beyond which better ones may lie.

    Args:
        values: by dotted key.
        space: what they were drawn from.

    Returns:
        ``"low"`` or ``"high"``, by key.
    """
    found = {key: _edge(values[key], of) for key, of in space.items() if key in values}
    return {key: edge for key, edge in found.items() if edge}


def _draw(values: Range | Choices, generator: np.random.Generator) -> Any:
    if isinstance(values, Range):
        return values.at(float(generator.random()))
    chosen = values[int(generator.integers(len(values)))]
    return _draw(Range.model_validate(chosen), generator) if _is_range(chosen) else chosen


def _edge(value: Any, values: Range | Choices) -> str | None:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(values, list):
        numbers = [one for one in values if isinstance(one, int | float) and not isinstance(one, bool)]
        ranges = [Range.model_validate(one) for one in values if _is_range(one)]
        if not ranges:
            low, high = min(numbers), max(numbers)
            return None if low == high else "low" if value == low else "high" if value == high else None
        values = ranges[0]
    share = values.share(value)
    return "low" if share < MARGIN else "high" if share > 1 - MARGIN else None
