"""Networks of vector cells: one activity for each class, and weights that are not negative above the first layer.

Clark, Abbott, Chung, "Credit assignment through broadcasting a global error vector", NeurIPS 2021. The drive of a cell
is a vector (a^1 ... a^K), and the cell is active where that points into the half-space of its fixed gate g:

    h^k = a^k 1[g . a > 0]

Components meet nowhere else: above the first layer they pass through the same weights side by side, as further rows of
a batch. Between layers, activity is (batch K, positions, cells); to a reader of codes, (batch, positions, cells K).
"""

import math
from dataclasses import dataclass, field

import torch
from torch import Tensor

from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.network import Architecture, Network, normal_weights
from cortexsim.rate.projection import Projection


@dataclass
class VectorLayer(Layer):
    """Hold the vector cells of one layer.

    Attributes:
        gates: g, (cells, K).
        first: whether its input is no vector, so that each component has weights of its own.
    """

    gates: Tensor = field(default_factory=torch.empty)
    first: bool = False

    def rate(self, drive: Tensor) -> Tensor:
        """Answer with the drive of every active cell."""
        return drive * self.derivative(drive)

    def derivative(self, drive: Tensor) -> Tensor:
        """Answer with 1 for every component of an active cell, and 0 for every other."""
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
        """Count those of every component, and of the gates."""
        components = 1 if self.first else self.gates.shape[1]
        return super().multiply_adds * components + self.positions * self.gates.numel()

    def project_feedback(self, said: Tensor) -> Tensor:
        """Bring each component of a modulator (batch, 1, K) to the same component of every cell."""
        if self.first:
            return said.repeat(1, 1, len(self.gates))
        return said.transpose(1, 2).reshape(-1, 1, 1)


class VectorNetwork(Network):
    """A network of vector cells; its output is one more such cell, without a gate, and answers with its vector."""

    layers: list[VectorLayer]  # type: ignore[assignment]

    def draw_gates(self, architecture: Architecture, seed: int) -> None:
        """Turn the layers drawn for scalar cells into layers of vector cells.

        Cells come in pairs of the same first weights and opposite gates, one of which is always active.
        """
        cells, components = architecture.cells, self.classes
        layers = []
        for level, layer in enumerate(self.layers, 1):
            first, like = level == 1, layer.feedforward.weights
            copies, _, pre = like.shape
            size = cells * components if first else cells
            deviation = architecture.initial_scale * math.sqrt(2 / pre)
            weights = normal_weights(seed, ("weights", level), (copies, size, pre), deviation, like)
            gates = normal_weights(seed, ("gates", level), (cells, components), 1.0, like)
            half = cells // 2
            gates[half : 2 * half] = -gates[:half]
            paired = weights.view(copies, cells, -1)
            paired[:, half : 2 * half] = paired[:, :half]
            values = vars(layer) | {
                "feedforward": Projection(weights if first else weights.abs()),
                "bias": like.new_zeros(copies, size),
                "mean": like.new_zeros(copies, size),
            }
            layers.append(VectorLayer(**values, gates=gates, first=first))
        self.layers = layers
        self.output = normal_weights(seed, ("weights", "output"), (1, cells), math.sqrt(1 / cells), self.output).abs()

    def responses(self, leaves: Tensor, learning: bool = False) -> list[Response]:
        """Answer leaves (batch, s^L, v) with all that happens in each layer."""
        found = [self.layers[0].respond(leaves, learning)]
        below = self._fold(found[0].activity)
        for layer in self.layers[1:]:
            found.append(layer.respond(below, learning))
            below = found[-1].activity
        return found

    def activities(self, leaves: Tensor, layers: int | None = None, learning: bool = False) -> list[Tensor]:
        """Answer leaves (batch, s^L, v) with the activity of each layer, (batch, positions, cells K)."""
        found = [response.activity for response in self.responses(leaves, learning)[:layers]]
        return [found[0], *(self._unfold(activity) for activity in found[1:])]

    def classify(self, top: Tensor) -> Tensor:
        """Read the vector of the output: activity of the top layer, in either form, to logits (batch, classes)."""
        return torch.einsum("bck,c->bk", self._vectors(top), self.output[0]) + self.output_bias

    def output_update(self, error: Tensor, top: Tensor) -> dict[str, Tensor]:
        """Follow the broadcast error (batch, classes) and the activity of the top layer."""
        change = torch.einsum("bk,bck->c", error, self._vectors(top)) / len(error)
        return {"output": -change.unsqueeze(0), "output_bias": -error.mean(0)}

    @torch.no_grad()
    def constrain(self) -> None:
        """Hold the weights above the first layer at zero or more."""
        for tensor in (*(layer.feedforward.weights for layer in self.layers[1:]), self.output):
            tensor.clamp_(min=0)

    def weights(self, *more: str) -> dict[str, Tensor]:
        """Name the tensors that an error can teach; above the first layer, a bias would point nowhere."""
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
        """The top layer's one column as (batch, cells, K)."""
        cells, components = self.output.shape[1], self.classes
        flat = top if top.shape[2] == cells * components else self._unfold(top)
        return flat[:, 0].unflatten(1, (cells, components))
