"""Sample complexity P*: how many samples a learner needs, enclosed by two training-set sizes in every run."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance
from typing import Any

from cortexsim.analysis.estimates import Estimate, geometric_mean

FRACTION = 0.1  # Of the chance error: a test error of at most this fraction counts as learned.
COARSE = 1.5  # Factor between neighbouring sizes from which on these are reported instead of a mean.

Bracket = tuple[float, float]  # P* is more than the first and at most the second, in samples.


def has_learned(accuracy: float, chance: float, fraction: float = FRACTION) -> bool:
    """Whether the test error is at most a fraction of the chance error.

    >>> has_learned(0.92, chance=0.125), has_learned(0.9, chance=0.125)
    (True, False)

    Args:
        accuracy: on the test set.
        chance: accuracy of guessing.
        fraction: of the chance error that counts as learned.
    """
    return 1 - accuracy <= fraction * (1 - chance)


def bracket(samples: Sequence[int], accuracy: Sequence[float], chance: float) -> Bracket:
    """Enclose P* of one run: the smallest size from which on the criterion is met at every larger size tried.

    A size at which it is met, below a larger one at which it is not, does not count.

    >>> bracket([64, 128, 256, 512], [0.95, 0.4, 0.95, 0.99], chance=0.125)
    (128, 256)

    Args:
        samples: (sizes,), training-set sizes, ascending.
        accuracy: (sizes,), test accuracy.
        chance: accuracy of guessing.

    Returns:
        The largest size at which the criterion is not met, 0 where there is none; and the one after it, infinite where
        there is none.
    """
    failed = [index for index, reached in enumerate(accuracy) if not has_learned(reached, chance)]
    first = failed[-1] + 1 if failed else 0
    return (samples[first - 1] if failed else 0.0, samples[first] if first < len(samples) else math.inf)


@dataclass(frozen=True)
class Threshold:
    """P* of one learner on one hierarchy, or the ratio of two, enclosed on every grammar.

    Repetitions differ in their grammars; several seeds of one grammar are averaged geometrically first.

    Attributes:
        low: (grammars,), lower bounds of P* in samples; 0 where even the smallest size tried was enough.
        high: (grammars,), upper bounds of P* in samples; infinite where even the largest size tried was not enough.
    """

    low: tuple[float, ...]
    high: tuple[float, ...]

    @classmethod
    def of(cls, brackets: Mapping[int, Sequence[Bracket]]) -> "Threshold":
        """Average, for every grammar, the brackets of its seeds, (seeds,).

        Args:
            brackets: by seed of the grammar, in samples, as `brackets` returns them.
        """
        ends = [tuple(_mean(end) for end in zip(*several, strict=True)) for several in brackets.values()]
        low, high = zip(*ends, strict=True)
        return cls(low, high)

    @property
    def values(self) -> tuple[float, ...]:
        """(grammars,): the geometric mean of each bracket's ends, or the end that is known."""
        return tuple(_middle(*ends) for ends in zip(self.low, self.high, strict=True))

    @property
    def beyond(self) -> int:
        """The number of grammars on which P* is larger than every size tried."""
        return sum(math.isinf(high) for high in self.high)

    @property
    def below(self) -> int:
        """The number of grammars on which P* is no larger than the smallest size tried."""
        return sum(low == 0 for low in self.low)

    @property
    def censored(self) -> bool:
        """Whether the mean over grammars is only a bound."""
        return bool(self.beyond or self.below)

    @property
    def coarse(self) -> bool:
        """Whether the sizes tried lie too far apart for a mean to be informative."""
        return not self.censored and self._half_width > math.log(COARSE) / 2

    @property
    def estimate(self) -> Estimate:
        """The geometric mean over grammars with its 95 % confidence interval; where censored, a bound alone.

        The interval is Student's over grammars, with half the mean width of a bracket added in quadrature. P* may lie
        anywhere in its bracket, on all grammars at the same end, so this half does not shrink with more grammars, and
        it is independent of which grammars were drawn. For a ratio, the widths of both brackets add up.
        """
        if self.censored:
            ends = self.low if self.beyond else self.high
            return Estimate(round(_mean(ends), 6), None, None)
        return geometric_mean(self.values, self._half_width)

    def over(self, reference: "Threshold") -> "Threshold | None":
        """The ratio to a reference, grammar by grammar; None where a quotient is bounded on neither side.

        Args:
            reference: P* of another learner on the same grammars.
        """
        pairs = list(zip(self.low, self.high, reference.low, reference.high, strict=True))
        if any((low == 0 or math.isinf(top)) and (math.isinf(high) or bottom == 0) for low, high, bottom, top in pairs):
            return None
        low = tuple(low / top for low, _, _, top in pairs)
        return Threshold(low, tuple(high / bottom if bottom else math.inf for _, high, bottom, _ in pairs))

    def text(self, digits: int = 0) -> str:
        """The mean with its interval; or a bound, and for how many grammars; or, where coarse, the bracket.

        Args:
            digits: after the decimal point.
        """
        if self.beyond and self.below:
            return "not enclosed"
        found, count = self.estimate, len(self.low)
        mean = f"{found.mean:.{digits}f}"
        if self.censored:
            some = self.beyond or self.below
            where = "beyond" if self.beyond else "below"
            return ("> " if self.beyond else "<= ") + mean + (f" ({some} of {count} {where})" if some < count else "")
        if self.coarse or found.low is None:
            return f"{min(self.low):.{digits}f} to {max(self.high):.{digits}f}"
        return f"{mean} ({found.low:.{digits}f} to {found.high:.{digits}f})"

    @property
    def _half_width(self) -> float:
        """Half the mean width of the brackets, in units of log P*."""
        widths = [math.log(high / low) for low, high in zip(self.low, self.high, strict=True)]
        return sum(widths) / len(widths) / 2


def brackets(rows: Sequence[Mapping[str, Any]]) -> dict[int, list[Bracket]]:
    """Enclose P* of every run of one learner.

    Args:
        rows: of one learner, at any sizes, grammars and seeds.

    Returns:
        By seed of the grammar, one bracket per seed.
    """
    curves: dict[tuple[int, int], list[Mapping[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["samples"]):
        curves.setdefault((row["grammar_seed"], row["seed"]), []).append(row)
    found: dict[int, list[Bracket]] = {}
    for (grammar, _), curve in sorted(curves.items()):
        sizes, reached = [row["samples"] for row in curve], [row["accuracy"] for row in curve]
        found.setdefault(grammar, []).append(bracket(sizes, reached, curve[0]["chance"]))
    return found


@dataclass(frozen=True)
class Spread:
    """How much P* varies: factors of one standard deviation.

    Attributes:
        seeds: between seeds of one grammar.
        grammars: between grammars, that between seeds taken out.
    """

    seeds: float
    grammars: float

    @classmethod
    def of(cls, brackets: Mapping[int, Sequence[Bracket]]) -> "Spread | None":
        """Compute it from the brackets of several seeds a grammar; None where there are none, or P* is only bounded.

        >>> Spread.of({0: [(90, 110), (180, 220)], 1: [(90, 110), (180, 220)]})
        Spread(seeds=1.632..., grammars=1.0)
        """
        ends = [end for several in brackets.values() for pair in several for end in pair]
        if len(brackets) < 2 or min(map(len, brackets.values())) < 2 or 0 in ends or math.inf in ends:
            return None
        logs = [[math.log(_middle(*pair)) for pair in several] for several in brackets.values()]
        within = fmean(variance(several) for several in logs)
        between = variance([fmean(several) for several in logs]) - within / len(logs[0])
        return cls(math.exp(math.sqrt(within)), math.exp(math.sqrt(max(0.0, between))))


def _mean(values: Sequence[float]) -> float:
    """The geometric mean; 0 or infinite where one of the values is."""
    if 0 in values or len(set(values)) == 1:
        return min(values)
    return math.exp(sum(map(math.log, values)) / len(values))


def _middle(low: float, high: float) -> float:
    if math.isinf(high):
        return low
    return math.sqrt(low * high) if low else high
