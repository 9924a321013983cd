"""Predictive coding without labels: activity settles down the gradient of a contrastive loss, and is then learned."""

import torch
from torch import Tensor

from cortexsim.learners.contrast import Contrast, without_top
from cortexsim.learners.state import OptimizedNetwork
from cortexsim.rate import FeedbackPathway, Network, Optimization, Optimizer, Plasticity, settle
from cortexsim.rules import Rule


class PredictiveCoding(OptimizedNetwork):
    """Predictive coding whose external pull is the gradient of a contrastive loss.

    The loss is one of the values of the last layer whose columns have siblings.

    >>> from cortexsim.learners import clapp_loss
    >>> from cortexsim.rate import Architecture, Synapses
    >>> from cortexsim.rules import load_rule
    >>> from cortexsim.topology import tree
    >>> synapses = Synapses(context=("sibling", "none"), context_synapses="random")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, synapses)
    >>> learner = PredictiveCoding(network, load_rule("predictive_coding"), Optimization(), clapp_loss)
    >>> sorted(learner.updates(torch.rand(10, 4, 8)))
    ['layer1.bias', 'layer1.context', 'layer1.feedforward']

    Args:
        network: to train; the top layer does not change.
        rule: of the synapses of the layers, with a path of the route ``"settled"``.
        optimization: how weights follow their updates.
        loss: of that layer; its context weights follow the gradient at the settled values.
        seed: root seed of the random weights of the path.

    Raises:
        UserError: where no column has a sibling.
    """

    stages = 1
    uses_labels = False
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network, rule: Rule, optimization: Optimization, loss: Contrast, seed: int = 0) -> None:
        assert rule.path is not None
        self.network, self.loss, self.path = network, loss, rule.path
        self.below, trained = without_top(network)
        self.trained_layers = len(self.below.layers)
        self.plasticity = Plasticity(rule)
        self.pathway = FeedbackPathway(self.below, self.path, seed)
        self.optimizer = Optimizer(optimization, trained)

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Return the inputs, (samples, positions, channels)."""
        return inputs

    @torch.no_grad()
    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Update the weights of all layers up to the loss after a batch, (batch, positions, channels)."""
        self.optimizer.step(self.updates(batch, learning=True), progress)

    @torch.no_grad()
    def updates(self, inputs: Tensor, learning: bool = False) -> dict[str, Tensor]:
        """Compute the update directions of all weights for one batch.

        Args:
            inputs: (batch, positions, channels).
            learning: whether input gains and normalisations adapt.

        Returns:
            Directions by the names of ``network.state()``; eta is not applied.
        """
        before = self.below.responses(inputs, learning)
        responses, errors = settle(self.below, self.pathway, before, self._pull, self.path.constants)
        updates: dict[str, Tensor] = {}
        for k, (layer, response) in enumerate(zip(self.below.layers, responses, strict=True)):
            feedback = self.pathway.signal(k, responses, errors[k])
            of_layer = self.plasticity.updates(layer, response, feedback=feedback)
            updates |= {f"layer{k + 1}.{name}": update for name, update in of_layer.items()}
        context = self.below.layers[-1].context
        if context is not None:
            updates[f"layer{self.trained_layers}.context"] = -self._gradient(responses[-1].activity, context.weights)
        return updates

    def _pull(self, values: Tensor) -> Tensor:
        """Compute the gradient of the loss, summed over columns, with respect to the values of the last layer."""
        columns = values.shape[0] * values.shape[1]
        values = values.detach()
        return self.path.constants["precision"] * columns * self._gradient(values, values)

    def _gradient(self, values: Tensor, wanted: Tensor) -> Tensor:
        """Differentiate the loss with respect to the values, or to weights that it reads."""
        with torch.enable_grad():
            wanted.requires_grad_()
            (gradient,) = torch.autograd.grad(self.loss(self.below.layers[-1], values), wanted)
        wanted.requires_grad_(False)
        return gradient

    def classify(self, inputs: Tensor) -> None:
        """Return None for any inputs, (samples, positions, channels): a readout is to be fitted."""
