"""The control of every comparison: the same network, as it was drawn."""

from torch import Tensor

from cortexsim.rate import Network


class Untrained:
    """Learn nothing; a readout from the layer that local learners are read from shows what chance wiring is worth.

    Args:
        network: its layers.
    """

    stages = 0
    uses_labels = False
    streams = frozenset[int]()

    def __init__(self, network: Network) -> None:
        self.network = network
        self.represents = max(1, len(network.layers) - 1)

    def present(self, stage: int, leaves: Tensor) -> Tensor:
        """See the leaves themselves."""
        return leaves

    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Stay as it is."""

    def classify(self, leaves: Tensor) -> None:
        """Leave the answer to a readout."""
