"""Networks of rate layers, wired by a topology."""

import math
from copy import deepcopy
from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import torch
from torch import Tensor

from cortexsim.errors import UserError, nearest
from cortexsim.rate.context_synapses import ContextSynapses, ContextWiring, highest_with_context
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.normalisation import Normalisation
from cortexsim.rate.projection import Projection
from cortexsim.rate.weights import feedback_weights, normal_weights
from cortexsim.topology import Topology

TransferName = Literal["relu", "saturating", "linear"]
InputScaling = Literal["synaptic", "sample"]
NormalisationName = Literal["none", "batch", "layer"]
Sends = Literal["activity", "prediction", "projection"]


@dataclass(frozen=True)
class Architecture:
    """The cells of a network and their feedforward weights, whatever learns in it.

    Args:
        cells: per column.
        shared: whether all columns of a layer share their weights.
        transfer: name of the transfer function.
        initial_scale: standard deviation of the initial weights, in units of sqrt(2 / inputs): 1 preserves the activity
            of ReLU layers (He et al. 2015).
        input_rms: root mean square to which the input of each layer is scaled; None for no scaling.
        input_scaling: by one adaptive gain of each layer, ``"synaptic"``, or the input of each column in each
            ``"sample"`` by itself.
        normalisation: of the drive of each layer, over a ``"batch"`` or the ``"layer"``, or ``"none"``.
        sends: output code of a layer: its ``"activity"``, its ``"prediction"`` of the dendritic input of the columns
            that have it as context, or its ``"projection"``, by ON and OFF cells.
        projection: linear cells per column that receive its activity, and on which the rule acts; 0 for none. Every
            place among siblings has weights of its own.
        mean_rate: fraction per batch by which running means of rates adapt.
        covariance_rate: fraction per batch by which running variances and covariances adapt.
    """

    cells: int = 64
    shared: bool = True
    transfer: TransferName = "relu"
    initial_scale: float = 1.0
    input_rms: float | None = None
    input_scaling: InputScaling = "synaptic"
    normalisation: NormalisationName = "none"
    sends: Sends = "activity"
    projection: int = 0
    mean_rate: float = 0.01
    covariance_rate: float = 0.01


@dataclass(frozen=True)
class Synapses:
    """The synapses of a network beside the feedforward ones, and which layers do not share weights.

    Args:
        context: of each layer, lowest first, such as ``"sibling"`` or ``"cousin+label"``; empty for none.
        context_synapses: initial context weights: ``"silent"`` or ``"random"``; ``"one_to_one"`` has none, as each cell
            gets the mean of the cells of its index.
        feedback: random weights that project a modulator of one component per class onto each layer, ``"direct"``, or
            the error of the layer above, ``"layered"``, or that of the projection, ``"projection"``.
        unshared: layers, from 1, whose columns have weights of their own, whatever the architecture says.
    """

    context: tuple[str, ...] = ()
    context_synapses: ContextSynapses = "silent"
    feedback: Literal["none", "direct", "layered", "projection"] = "none"
    unshared: frozenset[int] = frozenset()


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
        plan = _Plan(architecture, topology, classes, seed, synapses or Synapses(), like)
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


@dataclass(frozen=True)
class _Plan:
    """All that determines the layers of a network; layers are numbered from 1."""

    architecture: Architecture
    topology: Topology
    classes: int
    seed: int
    synapses: Synapses
    like: Tensor

    def weight_shape(self, number: int) -> tuple[int, int, int]:
        """Shape of the feedforward weights of a layer, (groups, cells, pre)."""
        layers, default = self.topology.layers, self.architecture.cells
        columns = layers[number - 1]
        below = self.topology.channels if number == 1 else self.sent(number - 1)
        return (
            1 if self.shared(number) else columns.positions,
            columns.cells or default,
            columns.fields.shape[1] * below,
        )

    def sent(self, number: int) -> int:
        """Number of cells of a column by which a layer sends its output."""
        if self.architecture.sends == "projection" and self.projects(number):
            return 2 * self.architecture.projection
        return self.topology.layers[number - 1].cells or self.architecture.cells

    def projects(self, number: int) -> bool:
        """Whether a layer has a projection: where columns are context of each other."""
        return self.architecture.projection > 0 and self.context(number).columns.shape[1] > 0

    def output_shape(self) -> tuple[int, int]:
        """Shape of the output weights, (classes, cells of all columns)."""
        return self.classes, self.sent(self.topology.depth) * self.topology.layers[-1].sent

    def output(self) -> Tensor:
        """Draw the output weights."""
        shape = self.output_shape()
        return normal_weights(self.seed, ("weights", "output"), shape, math.sqrt(1 / shape[1]), self.like)

    def shared(self, number: int) -> bool:
        """Whether the columns of a layer share their feedforward weights."""
        return self.architecture.shared and number not in self.synapses.unshared

    def context(self, number: int) -> ContextWiring:
        """Work out the context of the cells of a layer that learn."""
        listed, default = self.synapses.context or ("none",) * self.topology.depth, self.architecture.cells
        layers, top = self.topology.layers, highest_with_context(listed)
        tops, own = layers[top - 1].positions, self.architecture.projection
        sizes = {"label": self.classes, "top": (layers[top - 1].cells or default) * tops * (tops - 1)}
        groups = 1 if self.shared(number) else layers[number - 1].positions
        cells = own or layers[number - 1].cells or default
        return ContextWiring.of(listed[number - 1], self.topology, number, groups, cells, sizes)

    def feedback(self, number: int) -> Projection | None:
        """Draw the feedback weights onto a layer, if it has any.

        Those that come directly from the output differ for every cell, also where columns share their feedforward
        weights; those from the layer above have the shape of the transpose of its feedforward weights.
        """
        if self.synapses.feedback == "none":
            return None
        if self.synapses.feedback == "projection":
            if not self.projects(number):
                return None
            groups, components, width = self.projection_shape(number)
            deviation = math.sqrt(1 / width)  # That of the weights of the projection.
            drawn = normal_weights(self.seed, ("feedback", number), (groups, width, components), deviation, self.like)
            return Projection(drawn)
        if self.synapses.feedback == "direct":
            shape = (self.topology.layers[number - 1].positions, self.weight_shape(number)[1], self.classes)
        else:
            last = number == self.topology.depth
            groups, components, width = (1, *self.output_shape()) if last else self.weight_shape(number + 1)
            shape = (groups, width, components)
        return Projection(feedback_weights(self.seed, ("feedback", number), shape, self.like))

    def layer(self, number: int) -> Layer:
        """Build a layer with all its synapses."""
        a, columns, device = self.architecture, self.topology.layers[number - 1], self.like.device
        groups, cells, pre = shape = self.weight_shape(number)
        deviation = a.initial_scale * math.sqrt(2 / pre)
        bias, projects = self.like.new_zeros(groups, cells), self.projects(number)
        wiring = self.context(number)
        layer = Layer(
            positions=columns.positions,
            fields=None if columns.contiguous else torch.from_numpy(columns.fields).to(device),
            pools=None if columns.pools is None else torch.from_numpy(columns.pools).to(device),
            pooling=columns.pooling,
            feedforward=Projection(normal_weights(self.seed, ("weights", number), shape, deviation, self.like)),
            bias=bias,
            transfer=a.transfer,
            context=None
            if projects
            else wiring.projection(self.synapses.context_synapses, self.seed, number, self.like),
            context_index=torch.from_numpy(wiring.columns).to(device),
            external_context=wiring.external,
            feedback=self.feedback(number),
            input_rms=a.input_rms,
            input_scaling=a.input_scaling,
            input_square=self.like.new_zeros(()),
            mean=self.like.new_zeros(groups, cells),
            mean_rate=a.mean_rate,
            covariance_rate=a.covariance_rate,
            sends=a.sends,
            normalisation=None if a.normalisation == "none" else Normalisation.identity(a.normalisation, bias),
            projection=self.projection(number) if projects else None,
        )
        if a.normalisation != "none" and layer.predicts and layer.context is not None:
            bias = self.like.new_zeros(layer.context.groups, cells)
            layer.prediction_normalisation = Normalisation.identity(a.normalisation, bias, "sent_")
        return layer

    def projection_shape(self, number: int) -> tuple[int, int, int]:
        """Shape of the weights of the projection of a layer, (groups, cells of the projection, cells)."""
        groups, cells, _ = self.weight_shape(number)
        return (self.context(number).places if groups == 1 else groups), self.architecture.projection, cells

    def projection(self, number: int) -> Layer:
        """Build the projection of a layer: cells that read their own column alone, and have its context."""
        a, wiring, shape = self.architecture, self.context(number), self.projection_shape(number)
        groups, cells, pre = shape
        weights = normal_weights(self.seed, ("projection", number), shape, math.sqrt(1 / pre), self.like)
        return Layer(
            positions=self.topology.layers[number - 1].positions,
            feedforward=Projection(weights),
            bias=self.like.new_zeros(groups, cells),
            transfer="linear",
            context=wiring.projection(self.synapses.context_synapses, self.seed, number, self.like),
            feedback=None,
            input_rms=None,
            mean=self.like.new_zeros(groups, cells),
            input_square=self.like.new_zeros(()),
            context_index=torch.from_numpy(wiring.columns).to(self.like.device),
            external_context=wiring.external,
            mean_rate=a.mean_rate,
            covariance_rate=a.covariance_rate,
            offset=self.like.new_zeros(groups, cells),
        )


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
