"""Sample complexities over sweeps of the hierarchy: their spread, their ratios, and the exponents they follow."""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

from cortexsim.analysis.estimates import Slope, slope
from cortexsim.analysis.sample_complexity import Threshold

SYMBOLS = {"depth": "L", "multiplicity": "m", "features": "v", "fraction": "f"}
FITTED = ("depth", "multiplicity", "features")  # The laws are straight in L, log m and log v.


@dataclass(frozen=True)
class Stability:
    """Count the runs of a learner, of all grammars and seeds, that meet the criterion at one size above its mean P*."""

    samples: int
    learned: int
    runs: int

    def __str__(self) -> str:
        return f"{self.learned}/{self.runs} at {self.samples}"


@dataclass(frozen=True)
class Swept:
    """Hold what a sweep has found.

    Attributes:
        name: of the sweep.
        varies: ``"depth"``, ``"multiplicity"``, ``"features"`` or ``"fraction"``.
        title: sizes that stay, and repetitions.
        values: (values,), of what varies, ascending.
        laws: by name, (values,): the predicted P*, infinite where there is none.
        found: by learner, (values,).
        reference: the learner that the others are held against, where there is one.
        stability: by learner, (values,): what comes of every run with 1.4 times the samples that it needs in the mean.
    """

    name: str
    varies: str
    title: str
    values: tuple[float, ...]
    laws: Mapping[str, tuple[float, ...]]
    found: Mapping[str, tuple[Threshold, ...]]
    reference: str | None
    stability: Mapping[str, tuple["Stability | None", ...]] = field(default_factory=dict)

    def ratio(self, learner: str, index: int) -> Threshold | None:
        """Divide P* of a learner by that of the reference, at one value."""
        if self.reference is None or learner == self.reference:
            return None
        return self.found[learner][index].over(self.found[self.reference][index])


@dataclass(frozen=True)
class Fit:
    """Hold the straight line through log P* of one learner.

    Attributes:
        learner: whose it is.
        varies: ``"depth"``, or the size whose logarithm it is: ``"multiplicity"`` or ``"features"``.
        slope: of log P*; the points are grammars.
        left_out: values at which P* of some grammar is only bounded; a line through the others would be too flat.
        laws: by name, the slope of the law through the same values.
    """

    learner: str
    varies: str
    slope: Slope
    left_out: tuple[float, ...]
    laws: Mapping[str, float]


def fit(swept: Swept, learner: str) -> Fit | None:
    """Fit log P* = a + b x over values and grammars; nothing where these are too few, or P* is no power of x."""
    if swept.varies not in FITTED:
        return None
    found = list(zip(swept.values, swept.found[learner], strict=True))
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


def _steepness(swept: Swept, law: str, kept: list[tuple[float, Threshold]]) -> float | None:
    """Give the slope of a law through values, each as often as it was measured."""
    predicted = dict(zip(swept.values, swept.laws[law], strict=True))
    drawn = [value for value, threshold in kept for _ in threshold.values]
    if any(math.isinf(predicted[value]) for value in drawn):
        return None
    line = slope([_abscissa(swept.varies, v) for v in drawn], [math.log(predicted[v]) for v in drawn])
    return None if line is None else line.value


def _abscissa(varies: str, value: float) -> float:
    return value if varies == "depth" else math.log(value)
