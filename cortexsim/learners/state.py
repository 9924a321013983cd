"""The state of learners: everything that what is still to be learned depends on, by name."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import torch
from torch import Tensor

from cortexsim.rate import Network, Optimizer

State = dict[str, Any]
"""Tensors, and plain values that JSON can hold, by dotted names."""

FLAGS = ("has_input", "has_varied")  # Of a layer, beside its tensors.


def network_state(network: Network) -> State:
    """Copy all tensors of a network, and the flags of its layers."""
    layers = enumerate(network.layers, 1)
    flags = {f"layer{k}.{flag}": getattr(layer, flag) for k, layer in layers for flag in FLAGS}
    return {**copied(network.state()), **flags}


@torch.no_grad()
def load_network(network: Network, state: Mapping[str, Any]) -> None:
    """Put a network back to what `network_state` copied."""
    for name, tensor in network.state().items():
        tensor.copy_(state[name])
    for k, layer in enumerate(network.layers, 1):
        for flag in FLAGS:
            setattr(layer, flag, state[f"layer{k}.{flag}"])


def copied(tensors: Mapping[str, Tensor]) -> State:
    """Copy tensors, so that learning no longer changes them."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def under(name: str, state: Mapping[str, Any]) -> State:
    """Put a name before every name of a state."""
    return {f"{name}.{key}": value for key, value in state.items()}


def part(name: str, state: Mapping[str, Any]) -> State:
    """Take what `under` put under a name."""
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


def stream_state(generator: np.random.Generator) -> dict[str, Any]:
    """Say where a random stream stands."""
    return dict(generator.bit_generator.state)


def load_stream(generator: np.random.Generator, state: dict[str, Any]) -> None:
    """Put a random stream back to where it stood."""
    generator.bit_generator.state = state


class Optimized:
    """Keep the state of a learner that has one network and one optimiser.

    Attributes:
        network: its layers.
        optimizer: of their weights.
    """

    network: Network
    optimizer: Optimizer

    def state(self) -> State:
        """Copy all that learning has changed."""
        return network_state(self.network) | under("optimizer", copied(self.optimizer.state()))

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        load_network(self.network, state)
        self.optimizer.load(part("optimizer", state))
