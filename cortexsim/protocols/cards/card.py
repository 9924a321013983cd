"""What a card is: an experiment with its published outcome, and the comparison of a rule with it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from cortexsim.errors import UserError
from cortexsim.protocols.layer_rules import on_spikes
from cortexsim.rules import Rule, SpikeTiming

Verdict = Literal["pass", "fail", "not applicable"]


class Point(NamedTuple):
    """One condition of an experiment.

    Attributes:
        series: the line of the figure that it belongs to.
        x: place on the horizontal axis of the figure.
        model: what the rule does.
        data: what was measured, or what theory says; None where neither is known.
        error: standard error of the mean of the data.
    """

    series: str
    x: float
    model: float
    data: float | None = None
    error: float | None = None

    @property
    def deviation(self) -> float | None:
        """Model minus data, in standard errors of the mean."""
        if self.data is None or not self.error:
            return None
        return (self.model - self.data) / self.error


class Result(NamedTuple):
    """What an experiment shows of a rule.

    Attributes:
        points: by condition.
        number: the one that decides, in words and digits.
        passed: whether it lies within the tolerance.
    """

    points: list[Point]
    number: str
    passed: bool


@dataclass(frozen=True)
class Card:
    """A plasticity experiment with published data, or a published prediction, and a tolerance.

    >>> from cortexsim.protocols.cards import find_card
    >>> from cortexsim.rules import load_rule
    >>> outcome = find_card("frequency").examine(load_rule("stdp_pair"))
    >>> outcome.verdict, outcome.number
    ('fail', 'E = 12.44')
    >>> find_card("frequency").obstacle(load_rule("clopath"))
    'it reads the voltage of the cell, which the experiment does not report'

    Args:
        name: of its file.
        title: what is found.
        criterion: what passes.
        source: of the data.
        axes: labels of the figure, horizontal and vertical.
        measure: runs a rule.
        modulators: that the experiment gives, and the rule must have.
        recorded: whether a point was measured, so that constants of rules can be fitted to it; other data are signs, or
            theory. Those with a standard error were, unless told otherwise.
        voltage: whether it gives the voltage of the cell, which the rule must then read.
        dendrite: whether it gives the potential of its dendrite, likewise.
    """

    name: str
    title: str
    criterion: str
    source: str
    axes: tuple[str, str]
    measure: Callable[[Rule], Result]
    modulators: frozenset[str] = frozenset()
    recorded: Callable[[Point], bool] = lambda point: bool(point.error)
    voltage: bool = False
    dendrite: bool = False

    def obstacle(self, rule: Rule) -> str:
        """Say why a rule cannot be asked; empty where it can.

        Args:
            rule: any rule.
        """
        try:
            form = on_spikes(rule).feedforward
        except UserError as error:
            return str(error)
        assert isinstance(form, SpikeTiming)
        reads = any(trace.of == "voltage" for trace in form.traces.values()) or "potential_post" in rule.reads
        if reads and not self.voltage:
            return "it reads the voltage of the cell, which the experiment does not report"
        if self.voltage and not reads:
            return "it does not read the voltage of the cell, which is what the experiment is about"
        if ("dendrite_post" in rule.reads) != self.dendrite:
            if self.dendrite:
                return "it does not read the dendrite of the cell, which is what the experiment is about"
            return "it reads the dendrite of the cell, which the experiment does not report"
        if missing := sorted(self.modulators - set(form.modulators)):
            return f"it has no {' and no '.join(missing)}"
        if given := sorted(set(form.modulators) - self.modulators):
            return f"it needs {' and '.join(given)}, which the experiment does not give"
        return ""

    def measured(self, points: Sequence[Point]) -> list[Point]:
        """Choose the points to which constants of rules can be fitted.

        Args:
            points: of an outcome, one for each condition.

        Raises:
            UserError: where there are none.
        """
        found = [point for point in points if point.data is not None and self.recorded(point)]
        if not found:
            raise UserError(f"protocol '{self.name}' has no measured points: its data are signs, or theory")
        return found

    def examine(self, rule: Rule) -> "Outcome":
        """Put a rule to the experiment.

        Args:
            rule: any rule; where it cannot be asked, the outcome has the verdict ``"not applicable"`` and no points.
        """
        if reason := self.obstacle(rule):
            return Outcome(self, rule, "not applicable", reason, [])
        result = self.measure(on_spikes(rule))
        return Outcome(self, rule, "pass" if result.passed else "fail", result.number, result.points)


class Outcome(NamedTuple):
    """A rule beside an experiment.

    Attributes:
        card: the experiment.
        rule: the rule.
        verdict: ``"pass"``, ``"fail"`` or ``"not applicable"``.
        number: that decides; or the reason why the rule cannot be asked.
        points: by condition.
    """

    card: Card
    rule: Rule
    verdict: Verdict
    number: str
    points: list[Point]
