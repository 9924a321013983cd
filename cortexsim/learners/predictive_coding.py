"""Predictive coding without labels: activity settles towards what lessens a contrastive loss, and is learned."""

import torch
from torch import Tensor

from cortexsim.learners.contrast import Contrast, contrasted
from cortexsim.learners.state import Optimized
from cortexsim.rate import FeedbackPathway, Network, Optimization, Optimizer, Plasticity, settle
from cortexsim.rules import Rule


class PredictiveCoding(Optimized):
    """Let the last layer whose columns have siblings be pulled by the gradient of a loss of its own values.

    Args:
        network: its layers; the top one stays as it is.
        rule: what the synapses of the layers follow, with a path whose route is settled.
        optimization: how weights follow their updates.
        loss: of that layer; its context weights follow its gradient at the settled values.
        seed: root seed of the path's random weights.

    Raises:
        UserError: where no column has a sibling.
    """

    stages = 1
    uses_labels = False
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network, rule: Rule, optimization: Optimization, loss: Contrast, seed: int = 0) -> None:
        assert rule.path is not None
        self.network, self.loss, self.path = network, loss, rule.path
        self.below, taught = contrasted(network)
        self.trained_layers = len(self.below.layers)
        self.plasticity = Plasticity(rule)
        self.pathway = FeedbackPathway(self.below, self.path, seed)
        self.optimizer = Optimizer(optimization, taught)

    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """See the leaves themselves."""
        return leaves

    @torch.no_grad()
    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Change the weights of all layers up to the loss after one batch."""
        self.optimizer.step(self.updates(seen, learning=True), progress)

    @torch.no_grad()
    def updates(self, leaves: Tensor, learning: bool = False) -> dict[str, Tensor]:
        """Compute the directions of all weights for one batch of leaves, (batch, s^L, v)."""
        before = self.below.responses(leaves, learning)
        responses, errors = settle(self.below, self.pathway, before, self._pull, self.path.constants)
        found: dict[str, Tensor] = {}
        for k, (layer, response) in enumerate(zip(self.below.layers, responses, strict=True)):
            lesson = self.pathway.lesson(k, responses, errors[k])
            updates = self.plasticity.updates(layer, response, feedback=lesson)
            found |= {f"layer{k + 1}.{name}": update for name, update in updates.items()}
        context = self.below.layers[-1].context
        if context is not None:
            found[f"layer{self.trained_layers}.context"] = -self._gradient(responses[-1].activity, context.weights)
        return found

    def _pull(self, values: Tensor) -> Tensor:
        """Say how the values of the last layer pull at each other, each column's loss counted once."""
        columns = values.shape[0] * values.shape[1]
        values = values.detach()
        return self.path.constants["precision"] * columns * self._gradient(values, values)

    def _gradient(self, values: Tensor, wanted: Tensor) -> Tensor:
        """Differentiate the loss with respect to the values, or to weights that it reads."""
        with torch.enable_grad():
            wanted.requires_grad_()
            (found,) = torch.autograd.grad(self.loss(self.below.layers[-1], values), wanted)
        wanted.requires_grad_(False)
        return found

    def classify(self, leaves: Tensor) -> None:
        """Leave the answer to a readout."""
