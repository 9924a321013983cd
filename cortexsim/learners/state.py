"""The state of learners: everything that further learning depends on, by name."""

from collections.abc import Iterator, Mapping
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor

from cortexsim.errors import UserError
from cortexsim.rate import Network, Optimizer

State = dict[str, Any]
"""Tensors, and plain values that JSON can store, by dotted names."""


def network_state(network: Network) -> State:
    """Copy all tensors of a network, and the flags of its layers."""
    flags = {f"{name}.{flag}": getattr(part, flag) for name, part, flag in _flags(network)}
    return {**detached_copies(network.state()), **flags}


def _flags(network: Network) -> Iterator[tuple[str, object, str]]:
    """List the flags of the layers of a network and their projections: name of the layer, what has it, attribute."""
    for k, layer in enumerate(network.layers, 1):
        for name, cells in ((f"layer{k}", layer), (f"layer{k}.projection", layer.projection)):
            if cells is not None:
                yield name, cells.input_scaling, "has_input"
                yield name, cells, "has_varied"


@torch.no_grad()
def load_network(network: Network, state: Mapping[str, Any]) -> None:
    """Restore what `network_state` returned, in place.

    Raises:
        KeyError: where a name is missing.
        RuntimeError: where shapes do not match.
        ValueError: where a flag is not a boolean.
    """
    for name, tensor in network.state().items():
        tensor.copy_(state[name])
    for name, part, flag in _flags(network):
        if not isinstance(value := state[f"{name}.{flag}"], bool):
            raise ValueError(f"{name}.{flag} = {value!r} is neither true nor false")
        setattr(part, flag, value)


def detached_copies(tensors: Mapping[str, Tensor]) -> State:
    """Copy tensors of any shape, without their gradients, so that learning does not change the copies."""
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}


def add_prefix(name: str, state: Mapping[str, Any]) -> State:
    """Prefix every name of a state.

    >>> add_prefix("optimizer", {"step": 3})
    {'optimizer.step': 3}
    """
    return {f"{name}.{key}": value for key, value in state.items()}


def strip_prefix(name: str, state: Mapping[str, Any]) -> State:
    """Select the entries with a prefix, and remove it: the inverse of `add_prefix`.

    >>> strip_prefix("optimizer", {"optimizer.step": 3, "output": 1})
    {'step': 3}
    """
    return {key.removeprefix(f"{name}."): value for key, value in state.items() if key.startswith(f"{name}.")}


def stream_state(generator: np.random.Generator) -> dict[str, Any]:
    """Copy the state of a random stream."""
    return dict(generator.bit_generator.state)


def load_stream(generator: np.random.Generator, state: dict[str, Any]) -> None:
    """Restore the state of a random stream."""
    generator.bit_generator.state = state


class Stateful(Protocol):
    """An object whose state can be saved and restored."""

    def state(self) -> State:
        """Copy everything that further learning depends on."""
        ...

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned."""
        ...


def load_exactly(learner: Stateful, state: Mapping[str, Any]) -> None:
    """Restore the state of a learner, and verify that it then has this state: names, shapes, types and bits.

    Raises:
        UserError: where the state is that of another learner, or of none.
    """
    try:
        learner.load(state)
    except (KeyError, IndexError, TypeError, ValueError, AttributeError, RuntimeError, OverflowError) as error:
        raise UserError(f"the state does not fit this learner ({' '.join(str(error).split())})") from None
    loaded = learner.state()
    for name in sorted(loaded.keys() | state.keys()):
        if name not in loaded or name not in state:
            raise UserError(
                f"the state does not fit this learner ('{name}' is {'missing' if name in loaded else 'new'})"
            )
        if (own := _fingerprint(loaded[name])) != (given := _fingerprint(state[name])):
            raise UserError(f"the state does not fit this learner ('{name}' is {given[0]}, not {own[0]})")


def _fingerprint(value: Any) -> tuple[str, Any]:
    """Describe the type of a value, with what identifies it among values of the type."""
    if isinstance(value, Tensor):
        kind = str(value.dtype).removeprefix("torch.")
        return f"{kind} {tuple(value.shape)}", value.detach().cpu().contiguous().numpy().tobytes()
    return type(value).__name__, value


class OptimizedNetwork:
    """State of a learner that consists of one network and one optimiser.

    Attributes:
        network: its layers.
        optimizer: of their weights.
    """

    network: Network
    optimizer: Optimizer

    def state(self) -> State:
        """Copy everything that further learning depends on."""
        return network_state(self.network) | add_prefix("optimizer", detached_copies(self.optimizer.state()))

    def load(self, state: Mapping[str, Any]) -> None:
        """Restore what `state` returned; errors as in `load_network` and `Optimizer.load`."""
        load_network(self.network, state)
        self.optimizer.load(strip_prefix("optimizer", state))
