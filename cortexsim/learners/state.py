"""The state of learners: everything that what is still to be learned depends on, by name."""

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.rate import Network, Optimizer

State = dict[str, Any]
"""Tensors, and plain values that JSON can hold, by dotted names."""

FLAGS = ("has_input", "has_varied")  # Of a layer, beside its tensors.


def network_state(network: Network) -> State:
    """Copy all tensors of a network, and the flags of its layers."""
    layers = enumerate(network.layers, 1)
    flags = {f"layer{k}.{flag}": getattr(layer, flag) for k, layer in layers for flag in FLAGS}
    return {**detached_copies(network.state()), **flags}


@torch.no_grad()
def load_network(network: Network, state: Mapping[str, Any]) -> None:
    """Put a network back to what `network_state` copied."""
    for name, tensor in network.state().items():
        tensor.copy_(state[name])
    for k, layer in enumerate(network.layers, 1):
        for flag in FLAGS:
            if not isinstance(value := state[f"layer{k}.{flag}"], bool):
                raise ValueError(f"layer{k}.{flag} = {value!r} is neither true nor false")
            setattr(layer, flag, value)


def detached_copies(tensors: Mapping[str, Tensor]) -> State:
    """Copy tensors, so that learning no longer changes them."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def add_prefix(name: str, state: Mapping[str, Any]) -> State:
    """Put a name before every name of a state."""
    return {f"{name}.{key}": value for key, value in state.items()}


def strip_prefix(name: str, state: Mapping[str, Any]) -> State:
    """Take what `under` put under a name."""
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


def stream_state(generator: np.random.Generator) -> dict[str, Any]:
    """Say where a random stream stands."""
    return dict(generator.bit_generator.state)


def load_stream(generator: np.random.Generator, state: dict[str, Any]) -> None:
    """Put a random stream back to where it stood."""
    generator.bit_generator.state = state


class Stateful(Protocol):
    """What has a state."""

    def state(self) -> State:
        """Copy all that learning has changed."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        ...


def load_exactly(learner: Stateful, state: Mapping[str, Any]) -> None:
    """Let a learner go on from a state, and see that it then has this state: same names, shapes, kinds and bits.

    Raises:
        UserError: where the state is that of another learner, or of none.
    """
    try:
        learner.load(state)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise UserError(f"the state does not fit this learner ({' '.join(str(error).split())})") from None
    found = learner.state()
    for name in sorted(found.keys() | state.keys()):
        if name not in found or name not in state:
            raise UserError(
                f"the state does not fit this learner ('{name}' is {'missing' if name in found else 'new'})"
            )
        if (kept := _told(found[name])) != (given := _told(state[name])):
            raise UserError(f"the state does not fit this learner ('{name}' is {given[0]}, not {kept[0]})")


def _told(value: Any) -> tuple[str, Any]:
    """Say what a value is, and give what makes it different from others."""
    if isinstance(value, Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{kind} {tuple(value.shape)}", value.detach().cpu().contiguous().numpy().tobytes()
    return type(value).__name__, value


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
        return network_state(self.network) | add_prefix("optimizer", detached_copies(self.optimizer.state()))

    def load(self, state: Mapping[str, Any]) -> None:
        """Go on from a state."""
        load_network(self.network, state)
        self.optimizer.load(strip_prefix("optimizer", state))
