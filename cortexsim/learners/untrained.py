"""The control of every comparison: the same network, as it was drawn."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from cortexsim.learners.state import State, load_network, network_state
from cortexsim.rate import Network


class Untrained:
    """Learn nothing; a readout from the layer that local learners are read from shows what chance wiring is worth.

    That is the highest, or where this is a single column, which has nobody to hear, the one below.

    Args:
        network: its layers.
    """

    stages = 0
    uses_labels = False
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network) -> None:
        self.network = network
        self.trained_layers = max(1, len(network.layers) - (network.layers[-1].positions == 1))

    def stage_inputs(self, stage: int, leaves: Tensor, *views: Tensor) -> Tensor:
        """See the leaves themselves."""
        return leaves

    def step(self, stage: int, seen: Tensor, labels: Tensor, progress: float) -> None:
        """Stay as it is."""

    def classify(self, leaves: Tensor) -> None:
        """Leave the answer to a readout."""

    def state(self) -> State:
        """Copy the network."""
        return network_state(self.network)

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        load_network(self.network, state)
