"""Networks of rate layers, wired as a topology says."""

import math
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from cortexsim.contexts import column_table
from cortexsim.errors import UserError, nearest
from cortexsim.rate.context_synapses import hear, highest
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.normalisation import Normalisation
from cortexsim.rate.projection import Projection
from cortexsim.seeds import stream
from cortexsim.topology import Topology

TransferName = Literal["relu", "saturating", "linear"]
InputScaling = Literal["synaptic", "sample"]
NormalisationName = Literal["none", "batch", "layer"]
Sends = Literal["activity", "prediction"]


@dataclass(frozen=True)
class Architecture:
    """Describe a network, whatever learns in it.

    Args:
        cells: cells in each column.
        shared: whether all columns of a layer have the same weights.
        transfer: name of the transfer function.
        initial_scale: standard deviation of the first weights, times sqrt(2 / inputs): 1 keeps the activity of ReLU
            layers (He et al. 2015).
        input_rms: root mean square that each layer's input is brought to; None for no scaling.
        input_scaling: by one gain a layer that follows the input, as ``"synaptic"`` scaling does; or the input of each
            column in each ``"sample"`` by itself.
        normalisation: of each layer's drive, over a ``"batch"`` or the ``"layer"``, or ``"none"``.
        sends: what a layer tells the one above: its ``"activity"``, or its ``"prediction"`` of those that hear it.
        mean_rate: how fast running means of rates follow, per batch.
        covariance_rate: how fast running variances and covariances follow, per batch.
    """

    cells: int = 64
    shared: bool = True
    transfer: TransferName = "relu"
    initial_scale: float = 1.0
    input_rms: float | None = None
    input_scaling: InputScaling = "synaptic"
    normalisation: NormalisationName = "none"
    sends: Sends = "activity"
    mean_rate: float = 0.01
    covariance_rate: float = 0.01


@dataclass
class Network:
    """Hold the layers, lowest first, and a linear output of one unit a class.

    Attributes:
        topology: where its columns look.
        layers: from below.
        output: weights onto the classes, (classes, cells of all columns of the highest layer).
        output_bias: (classes,).
    """

    topology: Topology
    layers: list[Layer]
    output: Tensor
    output_bias: Tensor

    @classmethod
    def build(
        cls,
        architecture: Architecture,
        topology: Topology,
        classes: int,
        seed: int,
        device: str = "cpu",
        dtype: torch.dtype = torch.float32,
        context: tuple[str, ...] = (),
        feedback: Literal["none", "direct", "layered"] = "none",
        unshared: frozenset[int] = frozenset(),
        one_to_one: bool = False,
    ) -> "Network":
        """Draw a network's first weights from its seed; they are the same on every device.

        Args:
            architecture: its cells.
            topology: where its columns look.
            classes: units of its output.
            seed: root seed of the streams ``weights`` and ``feedback``.
            device: where its tensors live.
            dtype: of its tensors.
            context: for each layer from below, what its dendrites hear, as in ``"sibling"`` or ``"cousin+label"``;
                siblings unless given, without synapses.
            feedback: whether random weights bring each layer a modulator of one component a class, ``"direct"``, or
                what the layer above is taught, ``"layered"``.
            unshared: layers, counted from 1, whose columns have weights of their own, whatever the architecture says.
            one_to_one: whether a cell hears its namesakes in the context alone, by synapses without weights.
        """
        like = torch.empty((), device=device, dtype=dtype)
        numbers = range(1, topology.depth + 1)
        own = replace(architecture, shared=False)
        layers = [_layer(own if k in unshared else architecture, topology, k, seed, like) for k in numbers]
        listening = context or ("none",) * topology.depth
        top = layers[highest(listening) - 1]
        sizes = {"label": classes, "top": top.cells * top.positions * (top.positions - 1)}
        for number, layer in enumerate(layers, 1):
            hear(layer, number, topology, listening, sizes, one_to_one)
            if architecture.normalisation != "none" and layer.predicts and layer.context is not None:
                bias = like.new_zeros(layer.context.groups, layer.cells)
                layer.normalised_prediction = Normalisation.begin(architecture.normalisation, bias, "sent_")
        shape = (classes, layers[-1].cells * topology.layers[-1].sent)
        output = normal_weights(seed, ("weights", "output"), shape, math.sqrt(1 / shape[1]), like)
        network = cls(topology, layers, output, like.new_zeros(classes))
        network.draw_gates(architecture, seed)
        if feedback != "none":
            network.draw_feedback(seed, feedback)
        return network

    def draw_context(self, seed: int) -> None:
        """Draw context weights, for learners that do not begin with silent ones."""
        for level, layer in enumerate(self.layers, 1):
            if layer.context is not None:
                like = layer.context.weights
                layer.context = Projection(
                    normal_weights(seed, ("context", level), tuple(like.shape), math.sqrt(2 / like.shape[2]), like)
                )

    def draw_gates(self, architecture: Architecture, seed: int) -> None:
        """Draw what vector cells have beside weights; these cells have nothing."""

    def draw_feedback(self, seed: int, route: Literal["direct", "layered"]) -> None:
        """Draw the feedback weights onto each layer.

        Those that come straight from the output differ for every cell, also where columns share their feedforward
        weights; those from the layer above have the shape of the weights that they run against, transposed.
        """
        above = [layer.feedforward.weights.transpose(1, 2) for layer in self.layers[1:]]
        for level, (layer, like) in enumerate(zip(self.layers, [*above, self.output.T.unsqueeze(0)], strict=True), 1):
            if route == "direct":
                like = self.output.new_empty(layer.positions, layer.cells, self.classes)
            layer.feedback = Projection(feedback_weights(like, seed, "feedback", level))

    @property
    def classes(self) -> int:
        """Units of the output."""
        return len(self.output_bias)

    def responses(self, inputs: Tensor, learning: bool = False) -> list[Response]:
        """Answer inputs (batch, positions, channels) with all that happens in each layer."""
        found: list[Response] = []
        for layer in self.layers:
            found.append(layer.respond(found[-1].activity if found else inputs, learning))
        return found

    def activities(self, inputs: Tensor, layers: int | None = None, learning: bool = False) -> list[Tensor]:
        """Answer inputs (batch, positions, channels) with what each layer sends, (batch, positions, cells)."""
        found = [inputs]
        for layer in self.layers[:layers]:
            found.append(layer(found[-1], learning))
        return found[1:]

    @property
    def multiply_adds(self) -> int:
        """Count the multiplications, each with an addition, from the input of one sample to the highest layer."""
        return sum(layer.multiply_adds for layer in self.layers)

    def classify(self, top: Tensor) -> Tensor:
        """Read the classes from the top layer, (batch, positions, cells), to logits (batch, classes)."""
        return torch.addmm(self.output_bias, top.flatten(1), self.output.T)

    def output_update(self, error: Tensor, top: Tensor) -> dict[str, Tensor]:
        """Follow the delta rule: error (batch, classes) and activity of the top layer to directions of the output."""
        return {"output": -error.T @ top.flatten(1) / len(error), "output_bias": -error.mean(0)}

    def constrain(self) -> None:
        """Bring the weights back to where they may be, after a step; here they may be anywhere."""

    def weights(self, *more: str) -> dict[str, Tensor]:
        """Name the tensors that an error can teach: those between input and classes, and more by name."""
        taught = ("feedforward", "bias", "scale", "output", *more)
        return {name: tensor for name, tensor in self.state().items() if name.endswith(taught)}

    def state(self) -> dict[str, Tensor]:
        """Name every tensor of the network."""
        named = {
            f"layer{k}.{name}": tensor
            for k, layer in enumerate(self.layers, 1)
            for name, tensor in layer.state().items()
        }
        return {**named, "output": self.output, "output_bias": self.output_bias}


def _layer(a: Architecture, topology: Topology, number: int, seed: int, like: Tensor) -> Layer:
    """Make one layer, counted from 1."""
    columns = topology.layers[number - 1]
    lower = None if number == 1 else topology.layers[number - 2]
    cells, below = columns.cells or a.cells, topology.channels if lower is None else lower.cells or a.cells
    pre, copies = columns.fields.shape[1] * below, 1 if a.shared else columns.positions
    deviation = a.initial_scale * math.sqrt(2 / pre)
    bias = like.new_zeros(copies, cells)
    return Layer(
        positions=columns.positions,
        fields=None if columns.contiguous else torch.from_numpy(columns.fields).to(like.device),
        pools=None if columns.pools is None else torch.from_numpy(columns.pools).to(like.device),
        pooling=columns.pooling,
        feedforward=Projection(normal_weights(seed, ("weights", number), (copies, cells, pre), deviation, like)),
        bias=bias,
        transfer=a.transfer,
        context=None,
        feedback=None,
        input_rms=a.input_rms,
        mean=like.new_zeros(copies, cells),
        input_square=like.new_zeros(()),
        context_index=torch.from_numpy(column_table("sibling", topology, number)).to(like.device),
        sends=a.sends,
        input_scaling=a.input_scaling,
        mean_rate=a.mean_rate,
        covariance_rate=a.covariance_rate,
        normalisation=None if a.normalisation == "none" else Normalisation.begin(a.normalisation, bias),
    )


def feedback_weights(like: Tensor, seed: int, *names: str | int) -> Tensor:
    """Draw feedback weights (copies, cells, components) that keep the size of what they bring."""
    return normal_weights(seed, names, tuple(like.shape), math.sqrt(1 / like.shape[2]), like)


def normal_weights(
    seed: int, names: tuple[str | int, ...], shape: tuple[int, ...], deviation: float, like: Tensor
) -> Tensor:
    """Draw normal weights from a named stream, on the CPU and in double precision, so that all devices begin alike."""
    return torch.from_numpy(stream(seed, *names).normal(0, deviation, shape)).to(like.dtype).to(like.device)


def choose_device(name: str) -> str:
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
