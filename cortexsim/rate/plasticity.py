"""From the texts of a rule to weight updates on torch tensors; no rule is known here by name."""

from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.rate.context_synapses import project_back
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.projection import Projection
from cortexsim.rate.rule_variables import (
    FUNCTIONS,
    NEGATIVE_INPUT,
    NO_FEEDBACK,
    POSITIVE,
    ContrastSample,
    FeedbackSignal,
    RuleVariables,
    negative_samples,
    shift,
)
from cortexsim.rules import Rule


class Plasticity:
    """Apply one rule to layers of rate cells.

    Updates are averages over the fixations of a batch. As post and third are quantities of the postsynaptic cell, each
    average is one matrix product for each kind of synapse.

    Where a layer has a projection, the rule acts on the cells of the projection, and those that they project from learn
    from the error of the projection, by a second rule.

    >>> from cortexsim.rate import Architecture, Network, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> synapses = Synapses(context=("sibling", "none"), context_synapses="random")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, synapses)
    >>> layer = network.layers[0]
    >>> response = layer.respond(torch.rand(10, 4, 8))
    >>> updates = Plasticity(load_rule("clapp")).updates(layer, response)
    >>> {name: tuple(update.shape) for name, update in updates.items()}
    {'bias': (1, 16), 'feedforward': (1, 16, 16), 'context': (2, 16, 16)}

    Args:
        rule: to apply.
        statistics: means and covariances are ``"running"``, or those of each ``"batch"``.
        below_projection: of the cells that a projection receives from, which reads ``error_post``; it is one with an
            error path of the route ``layered``.

    Raises:
        UserError: where the rule needs what rate cells do not have.
    """

    def __init__(self, rule: Rule, statistics: str = "running", below_projection: Rule | None = None) -> None:
        if missing := rule.missing_on("rate"):
            raise UserError(f"rule '{rule.name}' needs {missing[0]}")
        self.rule = rule
        self.below = None if below_projection is None else Plasticity(below_projection)
        self.texts = {synapse: factor.texts() for synapse, factor in rule.synapses.items()}
        self.variables = RuleVariables(rule, statistics)

    def updates(
        self,
        layer: Layer,
        response: Response,
        context: Tensor | None = None,
        broadcast: Mapping[str, Tensor] | None = None,
        feedback: FeedbackSignal = NO_FEEDBACK,
        negative: Response | None = None,
    ) -> dict[str, Tensor]:
        """Compute the update directions of the plastic weights of a layer for a batch of fixations.

        The running statistics of the layer are updated on the way, where the rule reads them: variances and covariances
        before they are read, a mean alone after.

        Args:
            layer: whose weights.
            response: to the batch.
            context: input of the dendrites of the cells that learn, (batch, positions, context cells); that of their
                own layer unless given.
            broadcast: what modulators read beside their scores, such as ``label_all``, (batch, 1, classes).
            feedback: from an error path, for rules that have one.
            negative: response to negative inputs, for rules that contrast inputs.

        Returns:
            Directions by the names of ``layer.state()``, each of the shape of its tensor; eta is not applied.
        """
        cells = layer.learning_cells
        responses = [response] if negative is None else [response, negative]
        learned = [layer.project(each) for each in responses]
        directions, changes = self._cell_updates(cells, learned, context, broadcast or {}, feedback)
        if cells is layer:
            return directions
        cells.follow_mean(learned[0].activity)
        directions = {f"projection.{name}": direction for name, direction in directions.items()}
        for each, change in zip(responses, changes, strict=True):
            for name, direction in self._below_projection(layer, each, -change).items():
                directions[name] = directions[name] + direction if name in directions else direction
        return directions

    def updates_of_dendrites(
        self, layer: Layer, response: Response, contexts: Sequence[Tensor | None], negative: Response | None = None
    ) -> dict[str, Tensor]:
        """Compute the update directions for a batch, to which every dendrite adds those by its own score.

        Args:
            layer: whose weights.
            response: to the batch.
            contexts: input of the first dendrite and of further ones, as for `updates`.
            negative: response to negative inputs, for rules that contrast inputs.

        Returns:
            Directions by the names of ``layer.state()``.
        """
        first, *others = zip(layer.each_dendrite, contexts, strict=True)
        directions = self.updates(first[0], response, first[1], negative=negative)
        for number, (cells, context) in enumerate(others, 2):
            own = self.updates(cells, response, context)
            directions[f"dendrite{number}.context"] = own.pop("context")
            directions |= {name: directions[name] + direction for name, direction in own.items()}
        return directions

    def trained(self, layer: Layer) -> list[str]:
        """List the names of the weights of a layer that the rule changes, as `updates` returns them."""
        own = ["feedforward", "bias", *(["context"] if self.rule.context is not None else [])]
        own += [f"dendrite{number}.context" for number in range(2, len(layer.dendrites) + 2)]
        if layer.projection is None or self.below is None:
            return own
        plastic = ["feedback"] if self.below.rule.feedback is not None else []
        return ["feedforward", "bias", *plastic, *(f"projection.{name}" for name in own)]

    def layer_error(self, layer: Layer, response: Response, feedback: FeedbackSignal) -> Tensor:
        """Compute the error that a layer passes on to the one below, -third * post, (batch, positions, cells)."""
        cells = self.variables.of_cells(layer, response, None, feedback)
        (signals,) = self.variables.of_samples([POSITIVE], layer, cells, {}, feedback)
        change = self._evaluate("feedforward", "third", signals) * self._evaluate("feedforward", "post", signals)
        return -_per_cell(change, response.activity)

    def feedback_update(self, projection: Projection, post: Mapping[str, Tensor], pre: Tensor) -> Tensor:
        """Compute the update direction of plastic feedback weights.

        Args:
            projection: of the feedback weights.
            post: signals of the cells that they reach, by name, each (batch, positions, cells).
            pre: activity of their presynaptic cells, (batch, positions, components).

        Returns:
            (groups, cells, components); eta is not applied.
        """
        cells = {**self.rule.constants, **post}
        like = next(iter(post.values()))
        change = self._evaluate("feedback", "third", cells) * self._evaluate("feedback", "post", cells)
        update = projection.correlate(_per_cell(change, like), pre)
        decay = self._decay("feedback", projection, cells, like)
        return update if decay is None else update - decay.unsqueeze(2) * projection.weights

    def _cell_updates(
        self,
        layer: Layer,
        responses: Sequence[Response],
        context: Tensor | None,
        broadcast: Mapping[str, Tensor],
        feedback: FeedbackSignal,
    ) -> tuple[dict[str, Tensor], list[Tensor]]:
        """Compute the update directions of the weights onto the cells that a rule acts on.

        Returns:
            Directions by name; and, for each response, the change of the drive of every cell that they would bring
            about, (batch, positions, cells): minus the error of the cell.
        """
        response, *negatives = responses
        context = self._context(layer, response, context)
        if "covariance" in self.rule.requires:
            layer.update_statistics(response.activity, context)
        samples = [POSITIVE]
        if context is not None and not self.rule.negative_inputs:
            samples += negative_samples(self.rule)
        directions, change = self._directions(layer, response, context, samples, broadcast, feedback)
        changes = [change]
        if "mean" in self.rule.requires and "covariance" not in self.rule.requires:
            layer.update_statistics(response.activity)
        for negative in negatives:
            other = self._context(layer, negative, None)
            more, change = self._directions(layer, negative, other, [NEGATIVE_INPUT], broadcast, feedback)
            directions = {name: direction + more[name] for name, direction in directions.items()}
            changes.append(change)
        return directions, changes

    def _below_projection(self, layer: Layer, response: Response, error: Tensor) -> dict[str, Tensor]:
        """Compute the update directions of the cells below a projection, from its error, (batch, positions, cells)."""
        assert self.below is not None
        assert layer.projection is not None
        back = layer.feedback or Projection(layer.projection.feedforward.weights.transpose(1, 2))
        directions = self.below.updates_from_error(layer, response, back(error))
        if layer.feedback is not None and self.below.rule.feedback is not None:
            post = {"activity_post": response.activity}
            directions["feedback"] = self.below.feedback_update(layer.feedback, post, error)
        return directions

    def updates_from_error(self, layer: Layer, response: Response, error: Tensor) -> dict[str, Tensor]:
        """Compute the update directions of the feedforward weights and biases of cells from their error.

        Args:
            layer: whose own cells, not those of its projection.
            response: to a batch.
            error: that feedback weights bring to the cells, (batch, positions, cells).
        """
        return self._directions(layer, response, None, [POSITIVE], {}, FeedbackSignal(error))[0]

    def _directions(
        self,
        layer: Layer,
        response: Response,
        context: Tensor | None,
        samples: Sequence[ContrastSample],
        broadcast: Mapping[str, Tensor],
        feedback: FeedbackSignal,
    ) -> tuple[dict[str, Tensor], Tensor]:
        """Sum the update directions over contrast samples, by name, and the change of the drive that they come from."""
        synapses = {"feedforward": (layer.feedforward, response.pre)}  # Each with its presynaptic activity.
        if context is not None and layer.context is not None:
            synapses["context"] = (layer.context, context)
        cells = self.variables.of_cells(layer, response, context, feedback)
        post = {name: self._evaluate(name, "post", cells) for name in synapses}
        changes: dict[str, Any] = {}
        of_samples = self.variables.of_samples(samples, layer, cells, broadcast, feedback)
        for sample, signals in zip(samples, of_samples, strict=True):
            for name in reversed(synapses):  # Context synapses first: the others may read their change.
                change = self._evaluate(name, "third", signals)
                if name == "context":
                    # Shifted back, a change is paired with the context of its own sample: one product for all samples.
                    change = shift(_per_cell(change * post[name], response.activity), -sample.lag)
                    if "returned_post" in self.rule.reads:
                        signals["returned_post"] = project_back(layer, change)
                changes[name] = changes[name] + change if name in changes else change
        changes["feedforward"] = _per_cell(changes["feedforward"] * post["feedforward"], response.activity)
        if layer.places is not None and "context" in changes:
            changes["feedforward"] = layer.columns_per_score * changes["feedforward"]
            changes["context"] = layer.places.mean(changes["context"])
        directions = {"bias": layer.feedforward.average(changes["feedforward"])}
        for name, (projection, activity) in synapses.items():
            pre = self._evaluate(name, "pre", {**self.rule.constants, "activity_pre": activity})
            directions[name] = projection.correlate(changes[name], pre)
            if (decay := self._decay(name, projection, cells, response.activity)) is not None:
                directions[name] -= decay.unsqueeze(2) * projection.weights
                if name == "feedforward":  # A bias is the weight of a cell that is always active.
                    directions["bias"] -= decay * layer.bias
        return directions, changes["feedforward"]

    def _context(self, layer: Layer, response: Response, context: Tensor | None) -> Tensor | None:
        """Gather the input of the dendrites of a layer, where the rule reads any."""
        if "context" not in self.rule.requires or (layer.context is None and self.rule.context is not None):
            return None
        return layer.gather_context(response.activity) if context is None else context

    def _decay(self, name: str, projection: Projection, cells: Mapping[str, Any], like: Tensor) -> Tensor | None:
        """Compute the rule's own decay rate of the weights onto each cell, (groups, cells)."""
        if self.texts[name]["decay"].text == "0":
            return None
        return projection.average(_per_cell(self._evaluate(name, "decay", cells), like))

    def _evaluate(self, synapse: str, factor: str, signals: Mapping[str, Any]) -> Any:
        return self.texts[synapse][factor](signals, FUNCTIONS)


def _per_cell(values: Any, activity: Tensor) -> Tensor:
    """Expand the value of a text, which may be one number, or one per column, to all cells."""
    if getattr(values, "shape", None) == activity.shape:
        return values
    return torch.as_tensor(values).to(activity).expand_as(activity)
