"""From a rule's texts to changes of weight on torch tensors; no rule is known here by name."""

from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor

from cortexsim.expression import Expression
from cortexsim.modulators import Modulator
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.projection import Projection
from cortexsim.rules import Rule

FUNCTIONS: dict[str, Any] = {
    "abs": torch.abs,
    "clip": torch.clip,
    "exp": torch.exp,
    "int": Tensor.float,
    "log": torch.log,
    "sign": torch.sign,
    "sqrt": torch.sqrt,
    "tanh": torch.tanh,
}


class Moment(NamedTuple):
    """When modulators arrive: what contrast they carry, and how many fixations ago the context was heard."""

    contrast: float
    lag: int


class Lesson(NamedTuple):
    """What an error path brings a layer.

    Attributes:
        teaching: what the layer above passes on, (batch, positions, cells).
        project: brings a vector modulator, (batch, 1, components), to the layer's cells.
        slopes: of the cells, in the place of rho'(a).
    """

    teaching: Tensor | None = None
    project: Callable[[Tensor], Tensor] | None = None
    slopes: Tensor | None = None


UNTAUGHT = Lesson()
Synapses = dict[str, tuple[Projection, Tensor]]

PRESENT = Moment(+1.0, 0)
AFTER_SACCADE = Moment(-1.0, 1)  # A batch is a stretch of the stream; before its first fixation stands its last.


class Plasticity:
    """Apply one rule to layers of rate cells.

    The eligibility of a fixation is spent when its modulators arrive, and a batch of fixations is averaged. As post and
    third are quantities of the postsynaptic cell, that average is one matrix product for each kind of synapse.

    Args:
        rule: what to apply.
    """

    def __init__(self, rule: Rule) -> None:
        self.rule = rule
        self.texts = {synapse: factor.texts() for synapse, factor in rule.synapses.items()}
        self.modulators = [(m, Expression(m.score), Expression(m.value)) for m in rule.modulators]
        self.reads = rule.reads

    def updates(
        self,
        layer: Layer,
        response: Response,
        context: Tensor | None = None,
        broadcast: Mapping[str, Tensor] | None = None,
        lesson: Lesson = UNTAUGHT,
    ) -> dict[str, Tensor]:
        """Compute in which direction the plastic weights of a layer are to change, for a batch of fixations.

        Args:
            layer: whose weights.
            response: what it made of the batch.
            context: what its dendrites hear, (batch, positions, context cells); its own siblings unless given.
            broadcast: what modulators may read beside the score, such as ``label_all``, (batch, 1, classes).
            lesson: what an error path brings, for rules that have one.

        Returns:
            Directions by the names of ``layer.state()``; eta is not yet applied.
        """
        synapses = self._synapses(layer, response, context)
        cells = self._cells(layer, response, synapses, lesson)
        post = {name: self._evaluate(name, "post", cells) for name in synapses}
        changes: dict[str, Any] = {}
        for moment in [PRESENT, AFTER_SACCADE] if "context" in synapses else [PRESENT]:
            signals = self._arrive(moment, layer, cells, broadcast or {}, lesson)
            for name in synapses:
                change = self._evaluate(name, "third", signals)
                if name == "context":
                    # Shifted back, a change meets the context of its own moment: one product serves both moments.
                    change = _shift(_as_cells(change * post[name], response.activity), -moment.lag)
                changes[name] = changes[name] + change if name in changes else change
        changes["feedforward"] = _as_cells(changes["feedforward"] * post["feedforward"], response.activity)
        found = {"bias": layer.feedforward.average(changes["feedforward"])}
        for name, (projection, activity) in synapses.items():
            pre = self._evaluate(name, "pre", {**self.rule.constants, "activity_pre": activity})
            found[name] = projection.correlate(changes[name], pre)
            if (decay := self._decay(name, projection, cells, response.activity)) is not None:
                found[name] -= decay.unsqueeze(2) * projection.weights
                if name == "feedforward":  # A bias is the weight of a cell that is always active.
                    found["bias"] -= decay * layer.bias
        if "mean_post" in self.reads:
            layer.follow_mean(response.activity)
        return found

    def taught(self, layer: Layer, response: Response, lesson: Lesson) -> Tensor:
        """Say what error the cells of a layer are taught, -third * post, (batch, positions, cells)."""
        cells = self._cells(layer, response, {}, lesson)
        signals = self._arrive(PRESENT, layer, cells, {}, lesson)
        change = self._evaluate("feedforward", "third", signals) * self._evaluate("feedforward", "post", signals)
        return -_as_cells(change, response.activity)

    def feedback_update(self, projection: Projection, post: Mapping[str, Tensor], pre: Tensor) -> Tensor:
        """Compute in which direction plastic feedback weights are to change.

        Args:
            projection: of the feedback weights.
            post: what is read of the cells that they reach, each (batch, positions, cells).
            pre: activity at the other end, (batch, positions, components).
        """
        cells = {**self.rule.constants, **post}
        like = next(iter(post.values()))
        change = self._evaluate("feedback", "third", cells) * self._evaluate("feedback", "post", cells)
        found = projection.correlate(_as_cells(change, like), pre)
        decay = self._decay("feedback", projection, cells, like)
        return found if decay is None else found - decay.unsqueeze(2) * projection.weights

    def _synapses(self, layer: Layer, response: Response, context: Tensor | None) -> Synapses:
        """Name the plastic projections, each with the activity of its presynaptic cells."""
        if layer.context is None:
            return {"feedforward": (layer.feedforward, response.pre)}
        heard = layer.siblings(response.activity) if context is None else context
        return {"feedforward": (layer.feedforward, response.pre), "context": (layer.context, heard)}

    def _cells(self, layer: Layer, response: Response, synapses: Synapses, lesson: Lesson) -> dict[str, Any]:
        """Collect what the rule reads of its cells, (batch, positions, cells)."""
        cells = {**self.rule.constants, "activity_post": response.activity, "drive_post": response.drive}
        if "mean_post" in self.reads:
            cells["mean_post"] = layer.mean
        if "derivative_post" in self.reads:
            own = lesson.slopes is None
            cells["derivative_post"] = layer.derivative(response.drive) if own else lesson.slopes
        if lesson.teaching is not None:
            cells["teaching_post"] = lesson.teaching
        if "context" in synapses:
            projection, heard = synapses["context"]
            cells["dendrite_post"] = projection(heard)
        return cells

    def _arrive(
        self,
        moment: Moment,
        layer: Layer,
        cells: Mapping[str, Any],
        broadcast: Mapping[str, Any],
        lesson: Lesson,
    ) -> dict[str, Any]:
        """Say what a synapse reads at a moment: its cells, the context heard by then, and every modulator."""
        signals = dict(cells)
        if "dendrite_post" in signals:
            signals["dendrite_post"] = _shift(signals["dendrite_post"], moment.lag)
        for modulator, score, value in self.modulators:
            total = _total(modulator, score, signals)
            heard = {**broadcast, **modulator.constants, "score_all": total, "contrast_all": moment.contrast}
            said = value(heard, FUNCTIONS)
            said = said if modulator.gain == 1 else modulator.gain * said
            if modulator.projection != "scalar":
                said = (lesson.project or layer.hear)(said)
            signals[modulator.read_as] = said
        return signals

    def _decay(self, name: str, projection: Projection, cells: Mapping[str, Any], like: Tensor) -> Tensor | None:
        """Say how fast the rule itself lets the weights onto each cell forget, (copies, cells)."""
        if self.texts[name]["decay"].text == "0":
            return None
        return projection.average(_as_cells(self._evaluate(name, "decay", cells), like))

    def _evaluate(self, synapse: str, factor: str, signals: Mapping[str, Any]) -> Any:
        return self.texts[synapse][factor](signals, FUNCTIONS)


def _as_cells(values: Any, activity: Tensor) -> Tensor:
    """Give every cell its value, where a text has one number, or one value a column."""
    if getattr(values, "shape", None) == activity.shape:
        return values
    return torch.as_tensor(values).to(activity).expand_as(activity)


def _shift(values: Tensor, fixations: int) -> Tensor:
    """Bring the values of so many fixations ago to each fixation of a batch."""
    return values.roll(fixations, 0) if fixations else values


def _total(modulator: Modulator, score: Expression, cells: Mapping[str, Any]) -> Any:
    """Sum the score over the cells that share the modulator's value: a column's, or a layer's."""
    if not score.names:
        return 0.0
    values = score({**cells, **modulator.constants}, FUNCTIONS)
    return values.sum(-1, keepdim=True) if modulator.scope == "column" else values.sum((1, 2), keepdim=True)
