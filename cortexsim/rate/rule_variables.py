"""What synapses can read: the quantities of their cells, and what is broadcast at each moment."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cortexsim.expression import Expression
from cortexsim.modulators import Modulator
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.projection import Projection
from cortexsim.rules import SIGNALS, Rule


def _of_numbers(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Let a function of tensors take what a text has as a plain number: a constant, or the contrast of a moment."""
    return lambda values: function(torch.as_tensor(values))


def _clip(values: Any, low: Any, high: Any) -> Tensor:
    if isinstance(low, Tensor) or isinstance(high, Tensor):  # Both or neither: torch takes no mixture.
        low, high = torch.as_tensor(low), torch.as_tensor(high)
    return torch.clip(torch.as_tensor(values), low, high)


FUNCTIONS: dict[str, Any] = {
    "abs": _of_numbers(torch.abs),
    "clip": _clip,
    "exp": _of_numbers(torch.exp),
    "int": _of_numbers(Tensor.float),
    "log": _of_numbers(torch.log),
    "sign": _of_numbers(torch.sign),
    "sqrt": _of_numbers(torch.sqrt),
    "sum": lambda values: values.sum(-1, keepdim=True),  # Over classes, (batch, 1, classes).
    "tanh": _of_numbers(torch.tanh),
}

# Quantities that come from a context, and belong to its moment.
HEARD = tuple(name for name, signal in SIGNALS.items() if signal.of_context)


class ContrastSample(NamedTuple):
    """When modulators arrive: what contrast they carry, and how many fixations ago the context was heard.

    Below 0 it is heard so many fixations later.
    """

    contrast: float
    lag: int


PRESENT = ContrastSample(+1.0, 0)
NEGATIVE_INPUT = ContrastSample(-1.0, 0)


def negative_samples(rule: Rule) -> list[ContrastSample]:
    """List the moments at which a dendrite hears other fixations: those before, and those after where a rule says so.

    A batch is a stretch of the stream; before its first fixation stands its last.
    """
    sides = (1, -1) if rule.negatives == "around" else (1,)
    return [ContrastSample(-1.0, side * lag) for side in sides for lag in range(1, rule.saccades + 1)]


class FeedbackSignal(NamedTuple):
    """What an error path brings a layer.

    Attributes:
        teaching: what the layer above passes on, (batch, positions, cells).
        project: brings a vector modulator, (batch, 1, components), to the layer's cells.
        slopes: of the cells, in the place of rho'(a).
    """

    teaching: Tensor | None = None
    project: Callable[[Tensor], Tensor] | None = None
    slopes: Tensor | None = None


NO_FEEDBACK = FeedbackSignal()


class Listener:
    """Collect what the synapses of one rule read.

    Args:
        rule: whose texts read it.
        statistics: ``"running"`` reads means and covariances as a cell follows them; ``"batch"`` those of the batch.
    """

    def __init__(self, rule: Rule, statistics: str = "running") -> None:
        self.rule, self.statistics = rule, statistics
        self.reads = rule.reads
        self.modulators = [(m, Expression(m.score), Expression(m.value)) for m in rule.modulators]

    def cells(
        self, layer: Layer, response: Response, heard: Tensor | None, lesson: FeedbackSignal = NO_FEEDBACK
    ) -> dict[str, Any]:
        """Collect what the rule reads of its cells, (batch, positions, cells), and its constants."""
        found = {**self.rule.constants, "activity_post": response.activity, "drive_post": response.drive}
        if "derivative_post" in self.reads:
            own = lesson.slopes is None
            found["derivative_post"] = layer.derivative(response.drive) if own else lesson.slopes
        if "winning_post" in self.reads:
            found["winning_post"] = torch.softmax(response.drive, 2)
        if lesson.teaching is not None:
            found["error_post"] = lesson.teaching
        if heard is not None and layer.context is not None:
            found["dendrite_post"] = layer.context(heard)
        views = None
        if heard is not None and ("context_post" in self.reads or "views" in self.rule.requires):
            views = found["context_post"] = layer.same_index_mean(heard)
        return found | self._statistics(layer, response.activity, heard, views)

    def _statistics(
        self, layer: Layer, activity: Tensor, heard: Tensor | None, views: Tensor | None
    ) -> dict[str, Tensor]:
        """Say where cells are on average, how far they stray, and how together, with views and with dendrites."""
        if "mean" not in self.rule.requires:
            return {}
        mean, covariance, followed = layer.mean, layer.covariance, layer.views
        if self.statistics == "batch":
            mean, covariance = layer.moments(activity)
        usual = layer.statistics_groups.expand_to_positions(mean, layer.positions)
        found = {"mean_post": usual}
        if followed is not None and views is not None:
            if self.statistics == "batch":
                followed = followed.of(layer.feedforward, activity, views)
            found |= followed.signals(views)
        if covariance is not None:
            variance = layer.statistics_groups.expand_to_positions(covariance.diagonal(dim1=1, dim2=2), layer.positions)
            found["variance_post"] = variance
            centred = activity - usual
            if "lateral_post" in self.reads:
                found["lateral_post"] = Projection(covariance)(centred) - variance * centred
            if (dendrites := layer.dendrites) is not None and layer.context is not None and heard is not None:
                if self.statistics == "batch":
                    dendrites = dendrites.of(layer.context, heard)
                found |= dendrites.signals(layer.context, heard, centred, covariance)
        return found

    def arrive(
        self,
        moments: Sequence[ContrastSample],
        layer: Layer,
        cells: Mapping[str, Any],
        broadcast: Mapping[str, Any],
        lesson: FeedbackSignal = NO_FEEDBACK,
    ) -> list[dict[str, Any]]:
        """Say what a synapse reads at each moment: its cells, the context heard by then, and every modulator."""
        signals = [dict(cells) for _ in moments]
        for moment, heard in zip(moments, signals, strict=True):
            for name in HEARD:
                if name in heard:
                    heard[name] = shift(heard[name], moment.lag)
        for modulator, score, value in self.modulators:
            totals = [_total(modulator, score, heard) for heard in signals]
            shares = torch.softmax(torch.stack(totals), 0) if "share_all" in value.names else totals
            for moment, heard, total, share in zip(moments, signals, totals, shares, strict=True):
                readable = {**heard, **broadcast, **modulator.constants}
                readable |= {"score_all": total, "share_all": share, "contrast_all": moment.contrast}
                said = value(readable, FUNCTIONS)
                said = said if modulator.gain == 1 else modulator.gain * said
                if modulator.projection != "scalar":
                    said = (lesson.project or layer.project_feedback)(said)
                heard[modulator.read_as] = said
        return signals


def shift(values: Tensor, fixations: int) -> Tensor:
    """Bring the values of so many fixations ago, or below 0 to come, to each fixation of a batch."""
    return values.roll(fixations, 0) if fixations else values


def _total(modulator: Modulator, score: Expression, cells: Mapping[str, Any]) -> Any:
    """Sum the score over the cells that share the modulator's value: a column's, or a layer's."""
    if not score.names:
        return 0.0
    values = score({**cells, **modulator.constants}, FUNCTIONS)
    return values.sum(-1, keepdim=True) if modulator.scope == "column" else values.sum((1, 2), keepdim=True)
