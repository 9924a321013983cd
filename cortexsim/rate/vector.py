"""Networks of vector cells: one activity for each class, and weights that are not negative above the first layer.

Clark, Abbott, Chung, "Credit assignment through broadcasting a global error vector", NeurIPS 2021. The drive of a cell
is a vector (a^1 ... a^K), and the cell is active where that points into the half-space of its fixed gate g:

    h^k = a^k 1[g . a > 0]

Components do not interact otherwise: above the first layer they pass through the same weights in parallel, as further
rows of a batch. Between layers, activity is (batch K, positions, cells); as the output of `VectorNetwork.activities`,
it is (batch, positions, cells K).
"""

import math
from dataclasses import dataclass, field
from typing import Self

import torch
from torch import Tensor

from cortexsim.rate.architecture import Architecture, Synapses
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.network import Network
from cortexsim.rate.projection import Projection
from cortexsim.rate.weights import normal_weights
from cortexsim.topology import Topology


@dataclass
class VectorLayer(Layer):
    """The vector cells and synapses of one layer.

    Attributes:
        gates: g, (cells, K).
        first: whether it is the first layer, whose input is not a vector, so that each component has its own weights.
    """

    gates: Tensor = field(default_factory=torch.empty)
    first: bool = False

    def rate(self, drive: Tensor) -> Tensor:
        """Compute the activity: the drive of active cells, and 0 for all others; shapes as in `derivative`."""
        return drive * self.derivative(drive)

    def derivative(self, drive: Tensor) -> Tensor:
        """Compute the derivative: 1 for every component of an active cell, and 0 for all others.

        Args:
            drive: (batch, positions, cells K) in the first layer, (batch K, positions, cells) in all others.

        Returns:
            A tensor of the same shape.
        """
        cells, components = self.gates.shape
        if self.first:
            vectors = drive.unflatten(2, (cells, components))  # (batch, positions, cells, K)
            active = (vectors * self.gates).sum(3, keepdim=True) > 0
            return active.to(drive.dtype).expand_as(vectors).flatten(2)
        vectors = drive.unflatten(0, (-1, components))  # (batch, K, positions, cells)
        active = (vectors * self.gates.T.unsqueeze(1)).sum(1, keepdim=True) > 0
        return active.to(drive.dtype).expand_as(vectors).flatten(0, 1)

    @property
    def multiply_adds(self) -> int:
        """Number of multiplications with an addition for one sample, of all components and of the gates."""
        components = 1 if self.first else self.gates.shape[1]
        return super().multiply_adds * components + self.positions * self.gates.numel()

    def used_multiply_adds(self, below: Tensor) -> float:
        """Count all multiplications with an addition: that of a gate decides which are used."""
        return self.multiply_adds

    def project_feedback(self, modulator: Tensor) -> Tensor:
        """Project each component of a modulator, (batch, 1, K), onto the same component of every cell.

        Returns:
            (batch, 1, cells K) in the first layer, (batch K, 1, 1) in all others.
        """
        if self.first:
            return modulator.repeat(1, 1, len(self.gates))
        return modulator.transpose(1, 2).reshape(-1, 1, 1)


class VectorNetwork(Network):
    """A network of vector cells. Its output is one more such cell, without a gate, whose components are the logits.

    >>> from cortexsim.topology import tree
    >>> network = VectorNetwork.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), classes=4, seed=0)
    >>> [tuple(activity.shape) for activity in network.activities(torch.rand(10, 4, 8))]
    [(10, 2, 64), (10, 1, 64)]
    """

    layers: list[VectorLayer]  # type: ignore[assignment]

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
        """Build a network and draw its initial weights; arguments as in `Network.build`.

        Cells come in pairs with the same weights in the first layer and opposite gates, one of which is always active.
        """
        scalar = Network.build(architecture, topology, classes, seed, synapses, device, dtype)
        layers = [_vector_layer(layer, k, architecture, classes, seed) for k, layer in enumerate(scalar.layers, 1)]
        deviation = math.sqrt(1 / architecture.cells)
        output = normal_weights(seed, ("weights", "output"), (1, architecture.cells), deviation, scalar.output).abs()
        return cls(topology, layers, output, scalar.output_bias)  # type: ignore[arg-type]

    @property
    def non_negative(self) -> list[Tensor]:
        """Weights that are constrained to be zero or more: those above the first layer, (groups, cells, pre)."""
        return [*(layer.feedforward.weights for layer in self.layers[1:]), self.output]

    def responses(self, inputs: Tensor, learning: bool = False) -> list[Response]:
        """Compute the response of each layer to the activity of the one below.

        Args:
            inputs: (batch, positions, channels).
            learning: whether input gains and normalisations adapt.

        Returns:
            Responses, with components in the last dimension in the first layer, and in the batch in all others.
        """
        responses = [self.layers[0].respond(inputs, learning)]
        below = self._fold(responses[0].activity)
        for layer in self.layers[1:]:
            responses.append(layer.respond(below, learning))
            below = responses[-1].activity
        return responses

    def activities(self, inputs: Tensor, layers: int | None = None, learning: bool = False) -> list[Tensor]:
        """Compute the activity of each layer.

        Args:
            inputs: (batch, positions, channels).
            layers: how many layers to return, from below; all unless given.
            learning: whether input gains and normalisations adapt.

        Returns:
            Activities, lowest first, each (batch, positions, cells K).
        """
        first, *others = [response.activity for response in self.responses(inputs, learning)[:layers]]
        return [first, *(self._unfold(activity) for activity in others)]

    def classify(self, top: Tensor) -> Tensor:
        """Compute the logits, (batch, classes), from the top layer, whose components may be in either dimension."""
        return torch.einsum("bck,c->bk", self._vectors(top), self.output[0]) + self.output_bias

    def output_update(self, error: Tensor, top: Tensor) -> dict[str, Tensor]:
        """Compute the update of the output from the error, (batch, classes), and the activity of the top layer.

        Returns:
            Update directions, averaged over the batch, by the names of `state`.
        """
        change = torch.einsum("bk,bck->c", error, self._vectors(top)) / len(error)
        return {"output": -change.unsqueeze(0), "output_bias": -error.mean(0)}

    def weights(self, *more: str) -> dict[str, Tensor]:
        """Return by name the tensors that an error can train, with shapes as in `state`.

        Those above the first layer have no bias, as it would have no direction.
        """
        biases = {f"layer{level}.bias" for level in range(2, len(self.layers) + 1)}
        return {name: tensor for name, tensor in super().weights(*more).items() if name not in biases}

    def _fold(self, activity: Tensor) -> Tensor:
        """(batch, positions, cells K) to (batch K, positions, cells)."""
        vectors = activity.unflatten(2, self.layers[0].gates.shape)
        return vectors.permute(0, 3, 1, 2).flatten(0, 1)

    def _unfold(self, activity: Tensor) -> Tensor:
        """(batch K, positions, cells) to (batch, positions, cells K)."""
        vectors = activity.unflatten(0, (-1, self.classes))
        return vectors.permute(0, 2, 3, 1).flatten(2)

    def _vectors(self, top: Tensor) -> Tensor:
        """The one column of the top layer as (batch, cells, K)."""
        cells, components = self.output.shape[1], self.classes
        flat = top if top.shape[2] == cells * components else self._unfold(top)
        return flat[:, 0].unflatten(1, (cells, components))


def _vector_layer(layer: Layer, number: int, architecture: Architecture, components: int, seed: int) -> VectorLayer:
    """Replace the cells of a layer by vector cells, in pairs with the same initial weights and opposite gates."""
    cells, like = architecture.cells, layer.feedforward.weights
    groups, _, pre = like.shape
    size = cells * components if number == 1 else cells
    deviation = architecture.initial_scale * math.sqrt(2 / pre)
    weights = normal_weights(seed, ("weights", number), (groups, size, pre), deviation, like)
    gates = normal_weights(seed, ("gates", number), (cells, components), 1.0, like)
    half = cells // 2
    gates[half : 2 * half] = -gates[:half]
    paired = weights.view(groups, cells, -1)
    paired[:, half : 2 * half] = paired[:, :half]
    values = vars(layer) | {
        "feedforward": Projection(weights if number == 1 else weights.abs()),
        "bias": like.new_zeros(groups, size),
        "mean": like.new_zeros(groups, size),
    }
    return VectorLayer(**values, gates=gates, first=number == 1)
