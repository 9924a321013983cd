"""Constants of a rule fitted to the measured points of a card, and how well the points determine them.

The search begins at the rule's own constants, and at others drawn about them. Then each constant is held on a grid
while the others are fitted again: the profile of the error. Its interval is where the sum of squares is less than 3.84
above the least one (95 % of chi^2 with one degree of freedom), in units of the residual variance where the points have
no standard errors. Time constants stay above 0, and constants keep their sign, since rules write signs in their texts;
one that is 0 does not become negative.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from cortexsim.protocols.cards import Card, Point
from cortexsim.protocols.least_squares import Found, Problem
from cortexsim.rules import Rule
from cortexsim.rules.tuning import time_constants, tuned
from cortexsim.seeds import stream

RISE = 3.84  # Of the sum of squares at the ends of an interval, in units of the variance.
STEPS, WIDTH = 6, 3.0  # Of a profile, to each side; how far it reaches, in standard errors.
AGAIN = 3  # How often a fit begins again at most, where a profile finds a smaller error.
IMPROVED, NOTHING = 1e-4, 1e-9  # By at least this part, and by more than this.

Say = Callable[[int, int, str], None]


@dataclass(frozen=True)
class Profile:
    """The error as a function of one constant.

    Attributes:
        start: value in the rule.
        fitted: value that fits best.
        values: at which it was held, rising, (points,).
        errors: E with all others fitted, (points,).
        low: lower end of its interval; None where the profile ends before the error has risen enough.
        high: upper end, likewise.
    """

    start: float
    fitted: float
    values: np.ndarray
    errors: np.ndarray
    low: float | None
    high: float | None


@dataclass(frozen=True)
class Fit:
    """A rule fitted to a card.

    Attributes:
        card: the experiment.
        before: points of the rule.
        after: points of the rule with the constants that fit best.
        rule: with these.
        errors: E before and after, the mean squared deviation; in s.e.m. squared where `weighted`.
        weighted: whether points have standard errors.
        level: E at the ends of an interval.
        profiles: by name of the constant.
    """

    card: Card
    before: list[Point]
    after: list[Point]
    rule: Rule
    errors: tuple[float, float]
    weighted: bool
    level: float
    profiles: Mapping[str, Profile]

    @property
    def values(self) -> dict[str, float]:
        """The constants that fit best, by name."""
        return {name: profile.fitted for name, profile in self.profiles.items()}

    @property
    def times(self) -> set[str]:
        """Names of those that are time constants, in s."""
        return self.profiles.keys() & time_constants(self.rule).keys()


def fit(problem: Problem, starts: int, seed: int, say: Say = lambda done, total, what: None) -> Fit:
    """Fit the constants of a problem, and find the profile of each.

    >>> from cortexsim.protocols.cards import find_card
    >>> from cortexsim.rules import load_rule
    >>> problem = Problem(load_rule("stdp_pair"), find_card("pair_window"), ["tau_early"])
    >>> fitted = fit(problem, starts=1, seed=0)
    >>> profile = fitted.profiles["tau_early"]
    >>> [round(1e3 * value, 1) for value in (profile.low, profile.fitted, profile.high)]  # ms
    [11.7, 17.6, 27.3]

    Args:
        problem: rule, card and names of constants.
        starts: how often the search begins, the first time at the rule's own constants.
        seed: of the other beginnings.
        say: called after each step with how many are done, how many there are, and what was found.
    """
    generator, total = stream(seed, "fit"), starts + len(problem.start)
    ends: list[Found] = []
    for number in range(1, starts + 1):
        ends.append(problem.search(problem.coordinates.draw(generator) if ends else problem.coordinates.start))
        say(number, total, f"E = {problem.mean(ends[-1].squares):.4g} from start {number}")
    best = min(ends, key=_squares)
    for _ in range(AGAIN):
        lines = []
        for index, name in enumerate(problem.start):
            lines.append(_line(problem, best, index))
            say(starts + index + 1, total, f"profile of {name}")
        least = min((found for line in lines for found in line), key=_squares)
        if least.squares >= best.squares * (1 - IMPROVED) - NOTHING:
            break
        best = problem.search(least.at)
    return _described(problem, best, lines)


def _squares(found: Found) -> float:
    return found.squares


def _line(problem: Problem, best: Found, index: int) -> list[Found]:
    """Hold one constant on a grid about its best value, outwards to each side, and fit the others again."""
    middle, reach = best.at[index], problem.coordinates.reach
    near = reach(index, middle, WIDTH * problem.standard_error(best, index))
    level, sides = best.squares + RISE * problem.variance(best), []
    for close, distant in zip(near, reach(index, middle, np.inf), strict=True):
        side = _follow(problem, best, index, np.linspace(middle, close, STEPS + 1)[1:])
        if max(map(_squares, (best, *side))) < level:
            side += _follow(problem, side[-1] if side else best, index, np.linspace(close, distant, STEPS + 1)[1:])
        sides.append(side)
    return [*reversed(sides[0]), best, *sides[1]]


def _follow(problem: Problem, last: Found, index: int, places: np.ndarray) -> list[Found]:
    """Hold one constant at one place after the other, and fit the others from where they were."""
    line: list[Found] = []
    for place in places[places != last.at[index]]:
        begin = last.at.copy()
        begin[index] = place
        last = problem.search(begin, index)
        line.append(last)
    return line


def _described(problem: Problem, best: Found, lines: Sequence[Sequence[Found]]) -> Fit:
    after = tuned(problem.rule, problem.coordinates.values(best.at))
    rise = RISE * problem.variance(best)
    names = enumerate(problem.start)
    return Fit(
        problem.card,
        problem.card.examine(problem.rule).points,
        problem.card.examine(after).points,
        after,
        (problem.mean(problem.squares(problem.coordinates.start)), problem.mean(best.squares)),
        problem.weighted,
        problem.mean(best.squares + rise),
        {name: _profile(problem, best, index, lines[index], rise) for index, name in names},
    )


def _profile(problem: Problem, best: Found, index: int, line: Sequence[Found], rise: float) -> Profile:
    coordinates, places = problem.coordinates, np.array([found.at[index] for found in line])
    rises = np.sqrt(np.maximum([found.squares - best.squares for found in line], 0.0))  # Straight for a parabola.
    middle, level = int(np.argmin(np.abs(places - best.at[index]))), float(np.sqrt(rise))
    low = _crossing(places[middle::-1], rises[middle::-1], level, float(coordinates.low[index]))
    high = _crossing(places[middle:], rises[middle:], level, float(coordinates.high[index]))
    return Profile(
        problem.start[coordinates.names[index]],
        coordinates.value(index, best.at[index]),
        np.array([coordinates.value(index, place) for place in places]),
        np.array([problem.mean(found.squares) for found in line]),
        None if low is None else coordinates.value(index, low),
        None if high is None else coordinates.value(index, high),
    )


def _crossing(places: np.ndarray, rises: np.ndarray, level: float, bound: float) -> float | None:
    """Where a line outwards from its minimum first crosses a level; its bound where it ends there before."""
    above = np.flatnonzero(rises > level)
    if not len(above):
        return bound if np.isclose(places[-1], bound) else None
    last = int(above[0])
    share = (level - rises[last - 1]) / (rises[last] - rises[last - 1])
    return float(places[last - 1] + share * (places[last] - places[last - 1]))
