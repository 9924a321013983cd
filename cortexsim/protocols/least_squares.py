"""Least squares between a rule and the measured points of a card, weighted by the standard errors of the points."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from scipy.optimize import least_squares

from cortexsim.errors import UserError, nearest
from cortexsim.protocols.cards import Card
from cortexsim.protocols.coordinates import Coordinates
from cortexsim.rules import Rule
from cortexsim.rules.tuning import time_constants, tunable, tuned

CLOSE, EVALUATIONS = 1e-6, 50  # Relative improvement at which a search ends, and how long it goes on at most.
CLOSE_HELD, EVALUATIONS_HELD = 1e-4, 12  # The same where one constant is held, and the others are near their places.
STEP, LARGEST = 1e-6, 1e6  # Of differences, in coordinates; residual in the place of one that is not finite.


class Found(NamedTuple):
    """Where a search has ended.

    Attributes:
        at: coordinates, (constants,).
        squares: sum of squares there.
    """

    at: np.ndarray
    squares: float


class Problem:
    """A rule, a card, and the constants to fit.

    >>> from cortexsim.protocols.cards import find_card
    >>> from cortexsim.rules import load_rule
    >>> problem = Problem(load_rule("stdp_pair"), find_card("frequency"), ["potentiation", "depression"])
    >>> begin = problem.coordinates.start
    >>> best = problem.search(begin)
    >>> round(problem.mean(problem.squares(begin)), 2), round(problem.mean(best.squares), 2)  # E, before and after.
    (12.44, 7.58)

    Args:
        rule: any rule that can be asked.
        card: with measured points.
        names: of the constants, as of `tunable`; all of them where there are none.

    Attributes:
        start: the constants in the rule.
        weighted: whether points have standard errors; one without counts as one with their mean.

    Raises:
        UserError: where the card cannot be asked of the rule or nothing in it is measured, the rule has no such
            constant, or there are not more points than constants.
    """

    def __init__(self, rule: Rule, card: Card, names: Sequence[str] = ()) -> None:
        outcome, known = card.examine(rule), tunable(rule)
        if outcome.verdict == "not applicable":
            raise UserError(f"protocol '{card.name}' cannot be asked of rule '{rule.name}': {outcome.number}")
        points = card.measured(outcome.points)
        if not known:
            raise UserError(f"rule '{rule.name}' has no constants to fit")
        if unknown := [name for name in names if name not in known]:
            raise UserError(f"--constants: rule '{rule.name}' has no '{unknown[0]}' ({nearest(unknown[0], known)})")
        self.rule, self.card, self.start = rule, card, {name: known[name] for name in names or known}
        self.spare = len(points) - len(self.start)
        if self.spare < 1:
            few = f"{len(points)} points do not determine {len(self.start)} constants"
            raise UserError(f"protocol '{card.name}': {few} (--constants {next(iter(self.start))} takes fewer)")
        stated = [point.error for point in points if point.error]
        self.weighted, usual = bool(stated), float(np.mean(stated)) if stated else 1.0
        self.weights = np.array([1 / (point.error or usual) for point in points])
        self.coordinates = Coordinates(self.start, set(time_constants(rule)))

    def search(self, begin: np.ndarray, held: int | None = None) -> Found:
        """Find the least sum of squares from coordinates on, (constants,), of which one may be held."""
        free = np.arange(len(begin)) != (-1 if held is None else held)

        def complete(moved: np.ndarray) -> np.ndarray:
            at = begin.copy()
            at[free] = moved
            return at

        if not free.any():
            return Found(begin, self.squares(begin))
        close, most = (CLOSE, EVALUATIONS) if held is None else (CLOSE_HELD, EVALUATIONS_HELD)
        found = least_squares(
            lambda moved: self.residuals(complete(moved)),
            begin[free],
            bounds=(self.coordinates.low[free], self.coordinates.high[free]),
            x_scale="jac",
            diff_step=STEP,
            ftol=close,
            xtol=close,
            max_nfev=most,
        )
        return Found(complete(found.x), 2 * float(found.cost))

    def residuals(self, at: np.ndarray) -> np.ndarray:
        """Model minus data, in standard errors where there are any, (points,)."""
        with np.errstate(all="ignore"):
            outcome = self.card.examine(tuned(self.rule, self.coordinates.values(at)))
            points = self.card.measured(outcome.points)
            away = np.array([p.model - float(p.data or 0.0) for p in points]) * self.weights
        return np.clip(np.nan_to_num(away, nan=LARGEST), -LARGEST, LARGEST)

    def squares(self, at: np.ndarray) -> float:
        """Sum of squares at coordinates, (constants,)."""
        return float(np.sum(self.residuals(at) ** 2))

    def mean(self, squares: float) -> float:
        """Mean squared deviation, E."""
        return squares / len(self.weights)

    def variance(self, best: Found) -> float:
        """Variance of the residuals about the best fit: 1 in standard errors."""
        return 1.0 if self.weighted else best.squares / self.spare

    def standard_error(self, best: Found, index: int) -> float:
        """Standard error of one coordinate, from what no other can do to the residuals; infinite where that is none."""
        base, steps = self.residuals(best.at), np.eye(len(best.at)) * STEP
        slopes = np.array([(self.residuals(best.at + step) - base) / STEP for step in steps]).T  # (points, constants)
        own, others = slopes[:, index], np.delete(slopes, index, axis=1)
        if others.size:
            own = own - others @ np.linalg.lstsq(others, own)[0]
        length = float(np.linalg.norm(own))
        return float(np.sqrt(self.variance(best))) / length if length > STEP else np.inf
