"""Networks of rate layers, wired by a topology."""

from copy import deepcopy
from dataclasses import dataclass
from typing import Self

import numpy as np
import torch
from torch import Tensor

from cortexsim.errors import UserError, nearest
from cortexsim.rate.architecture import Architecture, Synapses
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.network_plan import NetworkPlan
from cortexsim.topology import Topology


@dataclass
class Network:
    """Layers, lowest first, and a linear output of one unit per class.

    >>> from cortexsim.topology import tree
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), classes=4, seed=0)
    >>> inputs = torch.rand(10, 4, 8)  # (batch, positions, channels)
    >>> [tuple(activity.shape) for activity in network.activities(inputs)]
    [(10, 2, 16), (10, 1, 16)]

    Attributes:
        topology: receptive fields of its columns.
        layers: lowest first.
        output: weights onto the classes, (classes, cells of all columns of the highest layer).
        output_bias: (classes,).
    """

    topology: Topology
    layers: list[Layer]
    output: Tensor
    output_bias: Tensor

    def __repr__(self) -> str:
        sizes = ", ".join(f"{layer.positions} x {layer.bias.shape[1]}" for layer in self.layers)
        return f"<{type(self).__name__}: layers of {sizes} cells, {len(self.output)} classes>"

    @classmethod
    def build(
        cls,
        architecture: Architecture,
        topology: Topology,
        classes: int,
        seed: int,
        synapses: Synapses | None = None,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
    ) -> Self:
        """Build a network and draw its initial weights; they are the same on every device.

        Args:
            architecture: its cells.
            topology: receptive fields of its columns.
            classes: number of units of its output.
            seed: root seed of the streams ``weights``, ``context`` and ``feedback``.
            synapses: beside the feedforward ones; none unless given.
            device: of its tensors.
            dtype: of its tensors.

        Raises:
            UserError: where a context does not fit the topology.
        """
        like = torch.empty((), device=device, dtype=dtype)
        plan = NetworkPlan(architecture, topology, classes, seed, synapses or Synapses(), like)
        layers = [plan.layer(number) for number in range(1, topology.depth + 1)]
        return cls(topology, layers, plan.output(), like.new_zeros(classes))

    @property
    def classes(self) -> int:
        """Number of units of the output."""
        return len(self.output_bias)

    @property
    def multiply_adds(self) -> int:
        """Number of multiplications with an addition from the input to the highest layer, for one sample."""
        return sum(layer.multiply_adds for layer in self.layers)

    @torch.no_grad()
    def used_multiply_adds(self, inputs: Tensor) -> float:
        """Count multiplications with an addition for one sample on average, but for those by an activity of zero.

        Args:
            inputs: (batch, positions, channels).
        """
        below = [inputs, *self.activities(inputs)]
        return sum(layer.used_multiply_adds(values) for layer, values in zip(self.layers, below, strict=False))

    @property
    def non_negative(self) -> list[Tensor]:
        """Weights, of any shape, that are constrained to be zero or more: none, in a network of scalar cells."""
        return []

    def responses(self, inputs: Tensor, learning: bool = False) -> list[Response]:
        """Compute the response of each layer to the activity of the one below.

        Args:
            inputs: (batch, positions, channels).
            learning: whether input gains and normalisations adapt.
        """
        responses: list[Response] = []
        for layer in self.layers:
            responses.append(layer.respond(responses[-1].activity if responses else inputs, learning))
        return responses

    def activities(self, inputs: Tensor, layers: int | None = None, learning: bool = False) -> list[Tensor]:
        """Compute the output of each layer to the one above.

        Args:
            inputs: (batch, positions, channels).
            layers: how many layers to compute, from below; all unless given.
            learning: whether input gains and normalisations adapt.

        Returns:
            Outputs of the layers, lowest first, each (batch, positions sent, cells).
        """
        outputs = [inputs]
        for layer in self.layers[:layers]:
            outputs.append(layer(outputs[-1], learning))
        return outputs[1:]

    def classify(self, top: Tensor) -> Tensor:
        """Compute the logits of the classes, (batch, classes), from the top layer, (batch, positions, cells)."""
        return torch.addmm(self.output_bias, top.flatten(1), self.output.T)

    def output_update(self, error: Tensor, top: Tensor) -> dict[str, Tensor]:
        """Compute the update of the output by the delta rule.

        Args:
            error: softmax of the logits minus target, (batch, classes).
            top: activity of the top layer, (batch, positions, cells).

        Returns:
            Update directions, averaged over the batch, by the names of `state`.
        """
        return {"output": -error.T @ top.flatten(1) / len(error), "output_bias": -error.mean(0)}

    @torch.no_grad()
    def apply_constraints(self) -> None:
        """Clip, after a step, the weights that must not be negative."""
        for tensor in self.non_negative:
            tensor.clamp_(min=0)

    def weights(self, *more: str) -> dict[str, Tensor]:
        """Return by name the tensors that an error can train: from input to classes, and others that end in ``more``.

        >>> from cortexsim.topology import tree
        >>> network = Network.build(Architecture(cells=16), tree(depth=1, size=2, channels=8), classes=4, seed=0)
        >>> {name: tuple(tensor.shape) for name, tensor in network.weights().items()}
        {'layer1.feedforward': (1, 16, 16), 'layer1.bias': (1, 16), 'output': (4, 16), 'output_bias': (4,)}
        """
        trained = ("feedforward", "bias", "scale", "output", *more)
        return {name: tensor for name, tensor in self.state().items() if name.endswith(trained)}

    def double(self) -> Self:
        """Copy the network in double precision, so that an activity does not depend on its batch."""
        copy = deepcopy(self)
        for tensor in copy.state().values():
            tensor.data = tensor.data.double()
        return copy

    def state(self) -> dict[str, Tensor]:
        """Return all tensors of the network, not copies, by name.

        >>> from cortexsim.topology import tree
        >>> network = Network.build(Architecture(cells=16), tree(depth=1, size=2, channels=8), classes=4, seed=0)
        >>> list(network.state())
        ['layer1.feedforward', 'layer1.bias', 'layer1.mean', 'layer1.input_square', 'output', 'output_bias']

        Shapes are those of the attributes of `Layer` and `Network`.
        """
        named = {
            f"layer{k}.{name}": tensor
            for k, layer in enumerate(self.layers, 1)
            for name, tensor in layer.state().items()
        }
        return {**named, "output": self.output, "output_bias": self.output_bias}


def choose_device(name: str) -> str:
    """Choose a device: ``auto`` takes the first of cuda, mps and cpu that is available.

    >>> choose_device("cpu")
    'cpu'

    Raises:
        UserError: where a device is not known, or not available.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    available = [known for known, present in there.items() if present]
    if name == "auto":
        return available[0]
    if name not in there:
        raise UserError(f"--device {name}: not known ({nearest(name, [*there, 'auto'])})")
    if name not in available:
        raise UserError(f"--device {name}: not available on this machine (available: {', '.join(available)})")
    return name


def to_tensor(values: np.ndarray, like: Tensor) -> Tensor:
    """Convert a NumPy array of any shape to a tensor with the type and device of another."""
    return torch.from_numpy(values).to(like)
