"""Self-supervised backpropagation: the reference without labels, on the same network, data order and budget."""

from torch import Tensor

from cortexsim.learners.contrast import Contrast, without_top
from cortexsim.learners.state import OptimizedNetwork
from cortexsim.rate import Network, Optimization, Optimizer, side_by_side


class PairedEndToEnd(OptimizedNetwork):
    """Gradient descent on a contrastive loss of the highest layer, for pairs of random views, through all layers.

    Args:
        network: to train.
        optimization: how weights follow their gradients.
        loss: of that layer, for pairs.
    """

    stages = 1
    uses_labels = False
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network, optimization: Optimization, loss: Contrast) -> None:
        self.network, self.loss = network, loss
        self.trained_layers = len(network.layers)
        trained = {name: tensor for name, tensor in network.weights("context").items() if name.startswith("layer")}
        for tensor in trained.values():
            tensor.requires_grad_()
        self.optimizer = Optimizer(optimization, trained, descend=True)

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Return the inputs, (samples, positions, channels), of which new views are shown in every epoch."""
        return inputs

    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Update the weights of all layers after a batch of pairs, (batch, 2, positions, channels)."""
        self.optimizer.torch.zero_grad()
        paired_loss(self.network, self.loss, batch, learning=True).backward()
        self.optimizer.step(progress=progress)

    def classify(self, inputs: Tensor) -> None:
        """Return None for any inputs, (samples, positions, channels): a readout is to be fitted."""


def paired_loss(network: Network, loss: Contrast, batch: Tensor, learning: bool = False) -> Tensor:
    """Compute a loss of the highest layer of a network for pairs of views.

    Args:
        network: the network.
        loss: of its highest layer.
        batch: pairs of views, (batch, 2, positions, channels).
        learning: whether input gains and normalisations adapt.

    Returns:
        The loss, ().
    """
    below = side_by_side(batch)
    for layer in network.layers[:-1]:
        below = layer(below, learning)
    top = network.layers[-1]
    return loss(top, top.respond(below, learning).activity)


class EndToEnd(OptimizedNetwork):
    """Gradient descent on a contrastive loss of the last layer whose columns have siblings, through all layers below.

    >>> from cortexsim.learners import clapp_loss
    >>> from cortexsim.rate import Architecture, Synapses
    >>> from cortexsim.topology import tree
    >>> synapses = Synapses(context=("sibling", "none"), context_synapses="random")
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, synapses)
    >>> learner = EndToEnd(network, Optimization(), clapp_loss)
    >>> learner.trained_layers, learner.uses_labels  # The top column has no sibling.
    (1, False)

    Args:
        network: to train; the top layer does not change.
        optimization: how weights follow their gradients.
        loss: of that layer.

    Raises:
        UserError: where no column has a sibling.
    """

    stages = 1
    uses_labels = False
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network, optimization: Optimization, loss: Contrast) -> None:
        self.network, self.loss = network, loss
        self.below, trained = without_top(network)
        self.trained_layers = len(self.below.layers)
        for tensor in trained.values():
            tensor.requires_grad_()
        self.optimizer = Optimizer(optimization, trained, descend=True)

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Return the inputs, (samples, positions, channels)."""
        return inputs

    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Update the weights of all layers up to the loss after a batch, (batch, positions, channels)."""
        self.optimizer.torch.zero_grad()
        self.loss(self.below.layers[-1], self.below.activities(batch, learning=True)[-1]).backward()
        self.optimizer.step(progress=progress)

    def classify(self, inputs: Tensor) -> None:
        """Return None for any inputs, (samples, positions, channels): a readout is to be fitted."""
