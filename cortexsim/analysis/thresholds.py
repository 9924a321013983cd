"""Sample complexities over sweeps of the hierarchy: thresholds, ratios between learners, and scaling exponents."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cortexsim.analysis.estimates import Slope, slope
from cortexsim.analysis.sample_complexity import Threshold

SYMBOLS = {"depth": "L", "multiplicity": "m", "features": "v", "fraction": "f"}
FITTED = ("depth", "multiplicity", "features")  # The laws are straight in L, log m and log v.


@dataclass(frozen=True)
class Stability:
    """The number of runs, of all grammars and seeds, that meet the criterion at one size above a learner's mean P*."""

    samples: int
    learned: int
    runs: int

    def __str__(self) -> str:
        return f"{self.learned}/{self.runs} at {self.samples}"


@dataclass(frozen=True)
class SweepThresholds:
    """The sample complexities of learners over a sweep.

    Attributes:
        name: of the sweep.
        varies: ``"depth"``, ``"multiplicity"``, ``"features"`` or ``"fraction"``.
        title: the sizes that stay fixed, and the repetitions.
        values: (values,), of the size that varies, ascending.
        laws: by name, (values,): the predicted P* in samples, infinite where there is none.
        thresholds: by learner, (values,): P*.
        reference: the learner that the others are compared with, if any.
        stability: by learner, (values,): how many runs meet the criterion with 1.4 times the mean P*.
    """

    name: str
    varies: str
    title: str
    values: tuple[float, ...]
    laws: Mapping[str, tuple[float, ...]]
    thresholds: Mapping[str, tuple[Threshold, ...]]
    reference: str | None
    stability: Mapping[str, tuple["Stability | None", ...]] = field(default_factory=dict)

    def ratio(self, learner: str, index: int) -> Threshold | None:
        """The ratio of P* of a learner to that of the reference, at one value; None where there is none.

        >>> needed = {"clapp": (Threshold((180.0,), (200.0,)),), "backprop": (Threshold((90.0,), (100.0,)),)}
        >>> swept = SweepThresholds("depth", "depth", "v = 8, m = 4", (2,), {}, needed, reference="backprop")
        >>> print(swept.ratio("clapp", 0).text(1))
        1.8 to 2.2

        Args:
            learner: its name.
            index: of the value in ``values``.
        """
        if self.reference is None or learner == self.reference:
            return None
        return self.thresholds[learner][index].over(self.thresholds[self.reference][index])


@dataclass(frozen=True)
class Fit:
    """A straight line fitted to log P* of one learner.

    Attributes:
        learner: its name.
        varies: the abscissa: ``"depth"``, or the logarithm of ``"multiplicity"`` or ``"features"``.
        slope: of natural log P*; the points are grammars.
        left_out: values at which P* of some grammar is only bounded, which are not fitted.
        laws: by name, the slope of the law over the same values.
    """

    learner: str
    varies: str
    slope: Slope
    left_out: tuple[float, ...]
    laws: Mapping[str, float]


def fit(swept: SweepThresholds, learner: str) -> Fit | None:
    """Fit log P* = a + b x over values and grammars; None where points are too few, or no law is straight in x.

    Args:
        swept: the thresholds of a sweep.
        learner: its name.
    """
    if swept.varies not in FITTED:
        return None
    found = list(zip(swept.values, swept.thresholds[learner], strict=True))
    kept = [(value, threshold) for value, threshold in found if not threshold.censored]
    points = [(_abscissa(swept.varies, value), math.log(p)) for value, threshold in kept for p in threshold.values]
    if not points or (line := slope(*zip(*points, strict=True))) is None:
        return None
    return Fit(
        learner,
        swept.varies,
        line,
        tuple(value for value, threshold in found if threshold.censored),
        {name: steepness for name in swept.laws if (steepness := _steepness(swept, name, kept)) is not None},
    )


def _steepness(swept: SweepThresholds, law: str, kept: list[tuple[float, Threshold]]) -> float | None:
    """The slope of a law over the fitted values, each weighted by its number of grammars."""
    predicted = dict(zip(swept.values, swept.laws[law], strict=True))
    drawn = [value for value, threshold in kept for _ in threshold.values]
    if any(math.isinf(predicted[value]) for value in drawn):
        return None
    line = slope([_abscissa(swept.varies, v) for v in drawn], [math.log(predicted[v]) for v in drawn])
    return None if line is None else line.value


def _abscissa(varies: str, value: float) -> float:
    return value if varies == "depth" else math.log(value)
