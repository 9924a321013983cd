"""The variables of a rule: the signals of cells, and the modulators of each contrast sample."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cortexsim.expression import Expression, parsed
from cortexsim.modulators import Modulator
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.projection import Projection
from cortexsim.rules import SIGNALS, Rule


def _of_numbers(function: Callable[..., Tensor]) -> Callable[..., Tensor]:
    """Extend a function of tensors to plain numbers: constants, and the contrast of a sample."""
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

CONTEXT_SIGNALS = tuple(name for name, signal in SIGNALS.items() if signal.of_context)


class ContrastSample(NamedTuple):
    """One context with which the activity of a fixation is paired: its own, or that of another fixation.

    Attributes:
        contrast: +1 for a positive pair, -1 for a negative one.
        lag: from how many fixations before the context comes; below 0, from how many after.
    """

    contrast: float
    lag: int


POSITIVE = ContrastSample(+1.0, 0)
NEGATIVE_INPUT = ContrastSample(-1.0, 0)


def negative_samples(rule: Rule) -> list[ContrastSample]:
    """List the negative samples of a rule: contexts of earlier fixations, and of later ones where it uses them.

    A batch is a stretch of the stream, taken as periodic: its last fixation precedes its first.

    >>> from cortexsim.rules import ThreeFactor
    >>> negative_samples(Rule("both sides", "", "", ThreeFactor(post="1", third="1"), negatives="around"))
    [ContrastSample(contrast=-1.0, lag=1), ContrastSample(contrast=-1.0, lag=-1)]
    """
    sides = (1, -1) if rule.negatives == "around" else (1,)
    return [ContrastSample(-1.0, side * lag) for side in sides for lag in range(1, rule.saccades + 1)]


class FeedbackSignal(NamedTuple):
    """What an error path brings to a layer.

    Attributes:
        error: from the layer above, (batch, positions, cells).
        project: projects a vector modulator, (batch, 1, components), onto the cells; by default, the feedback weights
            of the layer.
        derivative: replaces rho'(a) of the cells, (batch, positions, cells).
    """

    error: Tensor | None = None
    project: Callable[[Tensor], Tensor] | None = None
    derivative: Tensor | None = None


NO_FEEDBACK = FeedbackSignal()


class RuleVariables:
    """Compute the quantities that the texts of a rule read.

    Args:
        rule: whose texts.
        statistics: means and covariances are ``"running"``, or those of each ``"batch"``.
    """

    def __init__(self, rule: Rule, statistics: str = "running") -> None:
        self.rule, self.statistics = rule, statistics
        self.reads = rule.reads
        self.modulators = [(m, parsed(m.score), parsed(m.value)) for m in rule.modulators]

    def of_cells(
        self, layer: Layer, response: Response, context: Tensor | None, feedback: FeedbackSignal = NO_FEEDBACK
    ) -> dict[str, Any]:
        """Compute the signals of the cells of a layer.

        Args:
            layer: whose cells.
            response: to a batch.
            context: input of the dendrites, (batch, positions, context cells), if any.
            feedback: from an error path, if any.

        Returns:
            Signals by name, (batch, positions, cells) or broadcastable to that, and the constants of the rule.
        """
        winners = None if layer.places is None else layer.places.winners(response.activity)
        if winners is not None:  # The others send nothing, and receive nothing.
            response = response._replace(activity=winners * response.activity)
        signals = {**self.rule.constants, "activity_post": response.activity, "drive_post": response.drive}
        if "derivative_post" in self.reads:
            own = layer.derivative(response.drive) if feedback.derivative is None else feedback.derivative
            signals["derivative_post"] = own if winners is None else winners * own
        if "winning_post" in self.reads:
            signals["winning_post"] = torch.softmax(response.drive, 2)
        if feedback.error is not None:
            signals["error_post"] = feedback.error
        if context is not None and layer.context is not None:
            signals["dendrite_post"] = layer.dendritic_input(context)
        views = None
        if context is not None and ("context_post" in self.reads or "views" in self.rule.requires):
            views = signals["context_post"] = layer.same_index_mean(context)
        return signals | self._statistics(layer, response.activity, context, views)

    def _statistics(
        self, layer: Layer, activity: Tensor, context: Tensor | None, views: Tensor | None
    ) -> dict[str, Tensor]:
        """Compute the signals that depend on means and covariances of rates, views and dendrites."""
        if "mean" not in self.rule.requires:
            return {}
        batchwise, groups = self.statistics == "batch", layer.statistics_groups
        mean, covariance = layer.batch_moments(activity) if batchwise else (layer.mean, layer.covariance)
        expanded = groups.expand_to_positions(mean, layer.positions)
        signals = {"mean_post": expanded}
        if (tracked := layer.view_statistics) is not None and views is not None:
            current = tracked.of_batch(layer.feedforward, activity, views) if batchwise else tracked
            signals |= current.signals(views)
        if covariance is None:
            return signals
        signals["variance_post"] = groups.expand_to_positions(covariance.diagonal(dim1=1, dim2=2), layer.positions)
        centred = activity - expanded
        if "lateral_post" in self.reads:
            signals["lateral_post"] = Projection(covariance)(centred) - signals["variance_post"] * centred
        if (dendrites := layer.dendrite_statistics) is not None and layer.context is not None and context is not None:
            dendrites = dendrites.of_batch(layer.context, context) if batchwise else dendrites
            signals |= dendrites.signals(layer.context, context, centred, covariance)
        return signals

    def of_samples(
        self,
        samples: Sequence[ContrastSample],
        layer: Layer,
        cells: Mapping[str, Any],
        broadcast: Mapping[str, Any],
        feedback: FeedbackSignal = NO_FEEDBACK,
    ) -> list[dict[str, Any]]:
        """Compute what a synapse can read for each contrast sample: signals of its cells, and all modulators.

        Args:
            samples: whose contexts the signals of the context come from.
            layer: whose synapses.
            cells: signals of the cells, as `of_cells` returns them.
            broadcast: what modulators read beside their scores, such as ``label_all``, (batch, 1, classes).
            feedback: from an error path, if any.

        Returns:
            One dictionary a sample. Scalar modulators are (batch, positions, 1) where a column has its own, and (batch,
            1, 1) otherwise; projected ones are (batch, positions, cells).
        """
        variables = [dict(cells) for _ in samples]
        for sample, own in zip(samples, variables, strict=True):
            for name in CONTEXT_SIGNALS:
                if name in own:
                    own[name] = shift(own[name], sample.lag)
        for modulator, score, value in self.modulators:
            totals = [_total_score(modulator, score, own) for own in variables]
            shares = torch.softmax(torch.stack(totals), 0) if "share_all" in value.names else totals
            for sample, own, total, share in zip(samples, variables, totals, shares, strict=True):
                readable = {**own, **broadcast, **modulator.constants}
                readable |= {"score_all": total, "share_all": share, "contrast_all": sample.contrast}
                signal = value(readable, FUNCTIONS)
                signal = signal if modulator.gain == 1 else modulator.gain * signal
                if modulator.projection != "scalar":
                    signal = (feedback.project or layer.project_feedback)(signal)
                own[modulator.read_as] = signal
        return variables


def shift(values: Tensor, fixations: int) -> Tensor:
    """Shift values along the batch, so that each fixation gets those of so many fixations before.

    >>> shift(torch.tensor([1, 2, 3]), 1).tolist(), shift(torch.tensor([1, 2, 3]), -1).tolist()
    ([3, 1, 2], [2, 3, 1])

    Args:
        values: (batch, ...).
        fixations: below 0, values of fixations after.
    """
    return values.roll(fixations, 0) if fixations else values


def _total_score(modulator: Modulator, score: Expression, cells: Mapping[str, Any]) -> Any:
    """Sum the score over the cells of the modulator's scope: a column, or a layer."""
    if not score.names:
        return 0.0
    values = score({**cells, **modulator.constants}, FUNCTIONS)
    return values.sum(-1, keepdim=True) if modulator.scope == "column" else values.sum((1, 2), keepdim=True)
