"""Local learning: any three-factor rule that needs no error, layer by layer."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from cortexsim.learners.state import State, add_prefix, detached_copies, load_network, network_state, strip_prefix
from cortexsim.rate import Network, Optimization, Optimizer, Plasticity, gather_other_tops, mix_fixations
from cortexsim.rules import Rule


class Local:
    """Train each layer by itself, from its own activity and its context.

    >>> from cortexsim.learners import Budget, train
    >>> from cortexsim.rate import Architecture, Network, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> synapses = Synapses(context=("sibling", "none"), context_synapses="random")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, synapses)
    >>> learner = Local(network, load_rule("clapp"), Optimization())
    >>> before = network.layers[0].feedforward.weights.clone()
    >>> train(learner, torch.rand(100, 4, 8), torch.zeros(100, dtype=torch.long), Budget(epochs=1, batch=50), seed=0)
    >>> learner.trained_layers, bool((network.layers[0].feedforward.weights != before).any())
    (1, True)

    Args:
        network: to train; layers that the rule cannot train (a top column without siblings) do not change.
        rule: of its synapses.
        optimization: how weights follow their updates.
        schedule: ``greedy`` trains one layer after the other, each with the full budget, on inputs that are computed
            once; ``simultaneous`` trains all at once.
        top: ``label`` adds the label to the context of the top layer, which then classifies; ``readout`` leaves the top
            to a readout.
        trained_layers: how many layers, from below, it trains; all but the top unless given, or all with ``label``.
        below_projection: rule of the cells that a projection receives from, where layers have one.
    """

    streaming_stages = frozenset[int]()

    def __init__(
        self,
        network: Network,
        rule: Rule,
        optimization: Optimization,
        schedule: Literal["greedy", "simultaneous"] = "greedy",
        top: Literal["readout", "label"] = "readout",
        trained_layers: int | None = None,
        below_projection: Rule | None = None,
    ) -> None:
        self.network = network
        self.top = top
        self.plasticity = Plasticity(rule, below_projection=below_projection)
        self.trained_layers = len(network.layers) - (top == "readout") if trained_layers is None else trained_layers
        self.plastic = network.layers[: self.trained_layers]
        cells = [layer.learning_cells for layer in self.plastic]
        self.uses_labels = any("label" in each.external_context for own in cells for each in own.each_dendrite)
        for own in cells:
            own.track(rule.requires)
        self.optimization = optimization
        self.optimizers: dict[int, Optimizer] = {}
        numbers = list(range(self.trained_layers))
        self.schedule = [[k] for k in numbers] if schedule == "greedy" else [numbers]
        self.stages = len(self.schedule)
        views = [any(each.uses_second_view for each in layer.each_dendrite) for layer in self.plastic]
        self.viewing = [[k for k in layers if views[k]] for layers in self.schedule]

    def _optimizer(self, k: int) -> Optimizer:
        """Return the optimiser of a layer, created when it first learns here: it may be on another substrate."""
        if k not in self.optimizers:
            tensors = self.plastic[k].state()
            trained = {name: tensors[name] for name in self.plasticity.trained(self.plastic[k])}
            self.optimizers[k] = Optimizer(self.optimization, trained)
        return self.optimizers[k]

    @torch.no_grad()
    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Compute the activity below the first layer of a stage, which does not change during the stage.

        Args:
            stage: from 0.
            inputs: (samples, positions, channels).
            views: second views of the inputs, one for each layer that learns, for contexts that include them.

        Returns:
            (samples, positions, cells); with that of the second views of the layers of the stage that use them beside
            it, (samples, 1 + views, positions, cells).
        """
        first, shown = self.schedule[stage][0], [inputs, *(views[k] for k in self.viewing[stage])]
        below = [self.network.activities(values, first)[-1] if first else values for values in shown]
        return torch.stack(below, 1) if len(below) > 1 else below[0]

    @torch.inference_mode()
    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Update the weights of the layers of a stage after a batch of `stage_inputs`, with labels, (batch,)."""
        below, *second = batch.unbind(1) if self.viewing[stage] else (batch,)
        inputs, responses = [], []
        for k in self.schedule[stage]:
            inputs.append(below)
            responses.append(self.plastic[k].respond(below, learning=True))
            below = self.plastic[k].send(responses[-1].activity)
        external, views = self._external(labels), self._view_activities(stage, second)
        for k, below, response in zip(self.schedule[stage], inputs, responses, strict=True):
            layer, rule = self.plastic[k], self.plasticity.rule
            dendrites, negative = layer.learning_cells.each_dendrite, None
            if any("top" in each.external_context for each in dendrites):
                external = external | {"top": gather_other_tops(responses[-1].activity, layer.positions)}
            contexts = [
                each.gather_context(layer.project(response).activity, external, views.get(k))
                if each.external_context or k in views
                else None
                for each in dendrites
            ]
            if rule.negative_inputs:
                patches = mix_fixations(layer.gather(below), below.shape[2], rule.negatives)
                negative = layer.respond_to_patches(patches)
            updates = self.plasticity.updates_of_dendrites(layer, response, contexts, negative)
            self._optimizer(k).step(updates, progress)

    @torch.no_grad()
    def classify(self, inputs: Tensor) -> Tensor | None:
        """Compute the score of each class as context of the top layer, u = z^T B c.

        Args:
            inputs: (samples, positions, channels).

        Returns:
            Scores, (samples, classes); None where a readout is to be fitted.
        """
        return None if self.top == "readout" else self.label_scores(self.network.activities(inputs)[-1])

    def label_scores(self, activity: Tensor) -> Tensor:
        """Compute the scores of all classes, (batch, classes), from the top layer, (batch, 1, cells)."""
        top = self.network.layers[-1]
        assert top.context is not None
        return activity.flatten(1) @ top.context.weights[0]

    def state(self) -> State:
        """Copy everything that learning has changed."""
        state = network_state(self.network)
        for k, optimizer in self.optimizers.items():
            state |= add_prefix(f"optimizer{k + 1}", detached_copies(optimizer.state()))
        return state

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned; errors as in `load_network` and `Optimizer.load`."""
        load_network(self.network, state)
        for k in range(self.trained_layers):
            self.optimizers.pop(k, None)
            if saved := strip_prefix(f"optimizer{k + 1}", state):
                self._optimizer(k).load(saved)

    def _external(self, labels: Tensor) -> dict[str, Tensor]:
        """Encode the label population, (batch, 1, classes), where it is a context."""
        if not self.uses_labels:
            return {}
        return {"label": one_hot(labels, self.network.classes).to(self.network.output.dtype).unsqueeze(1)}

    def _view_activities(self, stage: int, second: Sequence[Tensor]) -> dict[int, Tensor]:
        """Compute the activity of the learning cells of each layer that uses second views, in its own second view."""
        activities = {}
        for k, below in zip(self.viewing[stage], second, strict=True):
            for layer in self.plastic[self.schedule[stage][0] : k]:
                below = layer(below)
            activities[k] = self.plastic[k].project(self.plastic[k].respond(below)).activity
        return activities
