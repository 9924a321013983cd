"""Backpropagation: the reference, on the same network, data order and budget."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cortexsim.learners.state import Optimized
from cortexsim.rate import Network, Optimization, Optimizer


class Backprop(Optimized):
    """Follow the gradient of the cross-entropy of the labels through all layers.

    Args:
        network: its layers.
        optimization: how weights follow their gradients.
    """

    stages = 1
    uses_labels = True
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network, optimization: Optimization) -> None:
        self.network = network
        self.trained_layers = len(network.layers)
        predicting = any(layer.predicts for layer in network.layers)
        taught = network.weights("context") if predicting else network.weights()
        for tensor in taught.values():
            tensor.requires_grad_()
        self.optimizer = Optimizer(optimization, taught, descend=True)

    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """See the leaves themselves."""
        return leaves

    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Change all weights after one batch."""
        self.optimizer.torch.zero_grad()
        top = self.network.activities(seen, learning=True)[-1]
        cross_entropy(self.network.classify(top), labels).backward()
        self.optimizer.step(progress=progress)
        self.network.constrain()

    @torch.no_grad()
    def classify(self, leaves: Tensor) -> Tensor:
        """Answer with the logits of the output."""
        return self.network.classify(self.network.activities(leaves)[-1])
