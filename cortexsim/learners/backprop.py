"""Backpropagation: the reference, on the same network, data order and budget."""

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy

from cortexsim.learners.state import OptimizedNetwork
from cortexsim.rate import Network, Optimization, Optimizer


class Backprop(OptimizedNetwork):
    """Gradient descent on the cross-entropy of the labels, through all layers.

    >>> from cortexsim.learners import Budget, train
    >>> from cortexsim.rate import Architecture
    >>> from cortexsim.tasks.rhm import Hierarchy
    >>> from cortexsim.topology import tree
    >>> samples, test = Hierarchy(features=8, multiplicity=2, depth=3).draw(train=512, test=128, task_seed=0, seed=0)
    >>> network = Network.build(Architecture(cells=64), tree(depth=3, size=2, channels=8), classes=8, seed=0)
    >>> learner = Backprop(network, Optimization(eta=0.01))
    >>> inputs, labels = torch.from_numpy(samples.inputs), torch.from_numpy(samples.labels)
    >>> train(learner, inputs, labels, Budget(epochs=5, batch=32), seed=0)
    >>> answers = learner.classify(torch.from_numpy(test.inputs)).argmax(1).numpy()
    >>> bool((answers == test.labels).mean() > 0.9)
    True

    Args:
        network: to train, with its output, and with its context weights where a layer sends predictions.
        optimization: how weights follow their gradients.
    """

    stages = 1
    uses_labels = True
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network, optimization: Optimization) -> None:
        self.network = network
        self.trained_layers = len(network.layers)
        predicting = any(layer.predicts for layer in network.layers)
        trained = network.weights("context") if predicting else network.weights()
        for tensor in trained.values():
            tensor.requires_grad_()
        self.optimizer = Optimizer(optimization, trained, descend=True)

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Return the inputs, (samples, positions, channels)."""
        return inputs

    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Update all weights after a batch, (batch, positions, channels), with labels, (batch,)."""
        self.optimizer.torch.zero_grad()
        top = self.network.activities(batch, learning=True)[-1]
        cross_entropy(self.network.classify(top), labels).backward()
        self.optimizer.step(progress=progress)
        self.network.apply_constraints()

    @torch.no_grad()
    def classify(self, inputs: Tensor) -> Tensor:
        """Compute the logits of the output, (samples, classes), for inputs, (samples, positions, channels)."""
        return self.network.classify(self.network.activities(inputs)[-1])
