"""Self-supervised backpropagation: the reference without labels, on the same network, data order and budget."""

from torch import Tensor

from cortexsim.learners.contrast import Contrast, without_top
from cortexsim.learners.state import OptimizedNetwork
from cortexsim.rate import Network, Optimization, Optimizer


class EndToEnd(OptimizedNetwork):
    """Gradient descent on a contrastive loss of the last layer whose columns have siblings, through all layers below.

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
