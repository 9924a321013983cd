"""From a rule's texts to changes of weight on torch tensors; no rule is known here by name."""

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from cortexsim.rate.context_synapses import bring_back
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.projection import Projection
from cortexsim.rate.rule_variables import (
    FUNCTIONS,
    NEGATIVE_INPUT,
    NO_FEEDBACK,
    PRESENT,
    FeedbackSignal,
    Listener,
    negative_samples,
    shift,
)
from cortexsim.rules import Rule

Synapses = dict[str, tuple[Projection, Tensor]]


class Plasticity:
    """Apply one rule to layers of rate cells.

    The eligibility of a fixation is spent when its modulators arrive, and a batch of fixations is averaged. As post and
    third are quantities of the postsynaptic cell, that average is one matrix product for each kind of synapse.

    Args:
        rule: what to apply.
        statistics: of activity, ``"running"`` or those of each ``"batch"``.
    """

    def __init__(self, rule: Rule, statistics: str = "running") -> None:
        self.rule = rule
        self.texts = {synapse: factor.texts() for synapse, factor in rule.synapses.items()}
        self.listener = Listener(rule, statistics)

    def updates(
        self,
        layer: Layer,
        response: Response,
        context: Tensor | None = None,
        broadcast: Mapping[str, Tensor] | None = None,
        feedback: FeedbackSignal = NO_FEEDBACK,
        hybrid: bool = False,
    ) -> dict[str, Tensor]:
        """Compute in which direction the plastic weights of a layer are to change, for a batch of fixations.

        Args:
            layer: whose weights.
            response: what it made of the batch.
            context: what its dendrites hear, (batch, positions, context cells); its own layer unless given.
            broadcast: what modulators may read beside the score, such as ``label_all``, (batch, 1, classes).
            feedback: what an error path brings, for rules that have one.
            hybrid: whether the input mixes fixations that do not belong together.

        Returns:
            Directions by the names of ``layer.state()``; eta is not yet applied.
        """
        heard = self._context(layer, response, context)
        if "covariance" in self.rule.requires and not hybrid:
            layer.follow(response.activity, heard)
        synapses = self._synapses(layer, response, heard)
        cells = self.listener.cells(layer, response, heard, feedback)
        post = {name: self._evaluate(name, "post", cells) for name in synapses}
        moments = [NEGATIVE_INPUT if hybrid else PRESENT]
        if heard is not None and not self.rule.negative_inputs:
            moments += negative_samples(self.rule)
        changes: dict[str, Any] = {}
        arriving = self.listener.arrive(moments, layer, cells, broadcast or {}, feedback)
        for moment, signals in zip(moments, arriving, strict=True):
            for name in reversed(synapses):  # Context synapses first, as the others may read what these bring back.
                change = self._evaluate(name, "third", signals)
                if name == "context":
                    # Shifted back, a change meets the context of its own moment: one product serves all moments.
                    change = shift(_as_cells(change * post[name], response.activity), -moment.lag)
                    if "returned_post" in self.rule.reads:
                        signals["returned_post"] = bring_back(layer, change)
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
        if "mean" in self.rule.requires and "covariance" not in self.rule.requires and not hybrid:
            layer.follow(response.activity)
        return found

    def taught(self, layer: Layer, response: Response, feedback: FeedbackSignal) -> Tensor:
        """Say what error the cells of a layer are taught, -third * post, (batch, positions, cells)."""
        cells = self.listener.cells(layer, response, None, feedback)
        (signals,) = self.listener.arrive([PRESENT], layer, cells, {}, feedback)
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

    def _context(self, layer: Layer, response: Response, context: Tensor | None) -> Tensor | None:
        """Find what the dendrites of a layer hear, where they hear anything."""
        if "context" not in self.rule.requires or (layer.context is None and self.rule.context is not None):
            return None
        return layer.gather_context(response.activity) if context is None else context

    def _synapses(self, layer: Layer, response: Response, heard: Tensor | None) -> Synapses:
        """Name the plastic projections, each with the activity of its presynaptic cells."""
        found = {"feedforward": (layer.feedforward, response.pre)}
        if heard is not None and layer.context is not None:
            found["context"] = (layer.context, heard)
        return found

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
