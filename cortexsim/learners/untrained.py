"""The untrained control: the same network with its initial weights."""

from collections.abc import Mapping
from typing import Any

from torch import Tensor

from cortexsim.learners.state import State, load_network, network_state
from cortexsim.rate import Network


class Untrained:
    """Learn nothing: a readout then shows what the random initial weights are worth.

    Its ``trained_layers`` are those that a local learner would train: all, or where the top layer is a single column,
    which has no sibling, all but the top.

    >>> from cortexsim.rate import Architecture
    >>> from cortexsim.topology import tree
    >>> control = Untrained(Network.build(Architecture(cells=16), tree(depth=3, size=2, channels=8), classes=4, seed=0))
    >>> control.trained_layers, control.stages  # The top column has no sibling.
    (2, 0)

    Args:
        network: the control.
    """

    stages = 0
    uses_labels = False
    streaming_stages = frozenset[int]()

    def __init__(self, network: Network) -> None:
        self.network = network
        self.trained_layers = max(1, len(network.layers) - (network.layers[-1].positions == 1))

    def stage_inputs(self, stage: int, inputs: Tensor, *views: Tensor) -> Tensor:
        """Return the inputs, (samples, positions, channels)."""
        return inputs

    def step(self, stage: int, batch: Tensor, labels: Tensor, progress: float | None) -> None:
        """Do nothing with a batch, (batch, positions, channels)."""

    def classify(self, inputs: Tensor) -> None:
        """Return None for any inputs, (samples, positions, channels): a readout is to be fitted."""

    def state(self) -> State:
        """Copy the network."""
        return network_state(self.network)

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned; errors as in `load_network`."""
        load_network(self.network, state)
