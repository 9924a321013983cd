"""Networks of rate layers, stacked as the hierarchy's tree."""

import math
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from cortexsim.errors import UserError, nearest
from cortexsim.hierarchy import Hierarchy, contexts
from cortexsim.rate.layer import Layer
from cortexsim.rate.projection import Projection
from cortexsim.seeds import stream


@dataclass(frozen=True)
class Architecture:
    """Describe a network, whatever learns in it.

    Args:
        cells: cells in each column.
        shared: whether all columns of a layer have the same weights.
        transfer: name of the transfer function.
        initial_scale: standard deviation of the first weights, times sqrt(2 / inputs): 1 keeps the activity of ReLU
            layers (He et al. 2015).
        input_rms: root mean square that synaptic scaling brings each layer's input to; None for no scaling.
    """

    cells: int = 64
    shared: bool = True
    transfer: str = "relu"
    initial_scale: float = 1.0
    input_rms: float | None = None


@dataclass
class Network:
    """Hold the layers, lowest first, and a linear output of one unit a class.

    Attributes:
        hierarchy: the task's sizes, which set the tree.
        layers: one a level.
        output: weights onto the classes, (classes, cells).
        output_bias: (classes,).
    """

    hierarchy: Hierarchy
    layers: list[Layer]
    output: Tensor
    output_bias: Tensor

    @classmethod
    def build(
        cls,
        architecture: Architecture,
        hierarchy: Hierarchy,
        seed: int,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        context: tuple[str, ...] = (),
        feedback: bool = False,
        unshared: frozenset[int] = frozenset(),
    ) -> "Network":
        """Draw a network's first weights from its seed; they are the same on every device.

        Args:
            architecture: its cells.
            hierarchy: its tree.
            seed: root seed of the streams ``weights`` and ``feedback``.
            device: where its tensors live.
            dtype: of its tensors.
            context: for each layer from below, what its dendrites hear: ``"sibling"``, ``"label"`` or ``"none"``.
            feedback: whether fixed random weights bring the layers a vector modulator of one component a class.
            unshared: levels whose columns have weights of their own, whatever the architecture says.
        """
        like = torch.empty((), device=device, dtype=dtype)
        heard = context or ("none",) * hierarchy.depth
        levels = range(1, hierarchy.depth + 1)
        own = replace(architecture, shared=False)
        layers = [
            _layer(own if level in unshared else architecture, hierarchy, level, heard[level - 1], feedback, seed, like)
            for level in levels
        ]
        shape, deviation = (hierarchy.classes, architecture.cells), math.sqrt(1 / architecture.cells)
        output = _normal(seed, ("weights", "output"), shape, deviation, like)
        return cls(hierarchy, layers, output, like.new_zeros(hierarchy.classes))

    def activities(self, leaves: Tensor, layers: int | None = None) -> list[Tensor]:
        """Answer leaves (batch, s^L, v) with the activity of each layer, (batch, positions, cells)."""
        found = [leaves]
        for layer in self.layers[:layers]:
            found.append(layer(found[-1]))
        return found[1:]

    def classify(self, top: Tensor) -> Tensor:
        """Read the classes from the top layer's one column: (batch, 1, cells) to logits (batch, classes)."""
        return torch.addmm(self.output_bias, top.flatten(1), self.output.T)

    def weights(self) -> dict[str, Tensor]:
        """Name the tensors that an error can teach: those between leaves and classes."""
        taught = ("feedforward", "bias", "output")
        return {name: tensor for name, tensor in self.state().items() if name.endswith(taught)}

    def state(self) -> dict[str, Tensor]:
        """Name every tensor of the network."""
        named = {
            f"layer{k}.{name}": tensor
            for k, layer in enumerate(self.layers, 1)
            for name, tensor in layer.state().items()
        }
        return {**named, "output": self.output, "output_bias": self.output_bias}


def _layer(
    a: Architecture, hierarchy: Hierarchy, level: int, heard: str, feedback: bool, seed: int, like: Tensor
) -> Layer:
    """Make the layer of one level, with silent context synapses."""
    positions, s = hierarchy.positions(level), hierarchy.tuple_size
    pre = s * (hierarchy.features if level == 1 else a.cells)
    copies = 1 if a.shared else positions
    deviation = a.initial_scale * math.sqrt(2 / pre)
    return Layer(
        positions=positions,
        feedforward=Projection(_normal(seed, ("weights", level), (copies, a.cells, pre), deviation, like)),
        bias=like.new_zeros(copies, a.cells),
        transfer=a.transfer,
        context=_context(a, hierarchy, positions, heard, like),
        feedback=_feedback(a, hierarchy, level, seed, like) if feedback else None,
        input_rms=a.input_rms,
        mean=like.new_zeros(copies, a.cells),
        input_square=like.new_zeros(()),
        sibling_index=_siblings(positions, s).to(like.device),
    )


def _context(a: Architecture, hierarchy: Hierarchy, positions: int, heard: str, like: Tensor) -> Projection | None:
    """Make synapses from the context; if weights are shared, each place in a tuple has its own: siblings differ."""
    s = hierarchy.tuple_size
    if heard == "label":
        return Projection(like.new_zeros(1 if a.shared else positions, a.cells, hierarchy.classes))
    if heard == "none" or positions < s:
        return None
    return Projection(like.new_zeros(s if a.shared else positions, a.cells, (s - 1) * a.cells))


def _feedback(a: Architecture, hierarchy: Hierarchy, level: int, seed: int, like: Tensor) -> Projection:
    """Draw fixed feedback weights, different for every cell also where columns share their feedforward weights."""
    shape = (hierarchy.positions(level), a.cells, hierarchy.classes)
    return Projection(_normal(seed, ("feedback", level), shape, math.sqrt(1 / hierarchy.classes), like))


def _siblings(positions: int, tuple_size: int) -> Tensor:
    if positions < tuple_size:
        return torch.empty(0, dtype=torch.long)
    return torch.from_numpy(contexts.siblings(positions, tuple_size).ravel())


def _normal(seed: int, names: tuple[str | int, ...], shape: tuple[int, ...], deviation: float, like: Tensor) -> Tensor:
    """Draw on the CPU, in double precision, so that every device begins with the same weights."""
    drawn = torch.from_numpy(stream(seed, *names).normal(0, deviation, shape))
    return drawn.to(like.dtype).to(like.device)


def device(name: str) -> str:
    """Choose a device: ``auto`` takes the first of cuda, mps and cpu that there is.

    Raises:
        UserError: where a device is not known, or not there.
    """
    there = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    found = [known for known, available in there.items() if available]
    if name == "auto":
        return found[0]
    if name not in there:
        raise UserError(f"--device {name}: not known ({nearest(name, [*there, 'auto'])})")
    if name not in found:
        raise UserError(f"--device {name}: not available on this machine (available: {', '.join(found)})")
    return name


def to_tensor(values: np.ndarray, like: Tensor) -> Tensor:
    """Move NumPy values to the device and type of a tensor."""
    return torch.from_numpy(values).to(like)
