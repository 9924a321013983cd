"""Self-supervised backpropagation: the reference without labels, on the same network, data order and budget."""

from torch import Tensor

from cortexsim.learners.contrast import Contrast, contrasted
from cortexsim.learners.state import Optimized
from cortexsim.rate import Network, Optimization, Optimizer


class EndToEnd(Optimized):
    """Follow the gradient of one contrastive loss through all layers, from the last whose columns have siblings.

    Args:
        network: its layers; the top one stays as it is.
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
        self.below, taught = contrasted(network)
        self.trained_layers = len(self.below.layers)
        for tensor in taught.values():
            tensor.requires_grad_()
        self.optimizer = Optimizer(optimization, taught, descend=True)

    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """See the leaves themselves."""
        return leaves

    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Change the weights of all layers up to the loss after one batch."""
        self.optimizer.torch.zero_grad()
        self.loss(self.below.layers[-1], self.below.activities(seen, learning=True)[-1]).backward()
        self.optimizer.step(progress=progress)

    def classify(self, leaves: Tensor) -> None:
        """Leave the answer to a readout."""
