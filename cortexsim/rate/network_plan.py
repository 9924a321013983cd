"""From the architecture of a network to its layers, with initial weights from named random streams."""

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from cortexsim.contexts import dendrites
from cortexsim.rate.architecture import Architecture, Synapses
from cortexsim.rate.context_synapses import ContextWiring, highest_with_context
from cortexsim.rate.input_scaling import InputScaling
from cortexsim.rate.layer import Dendrite, Layer
from cortexsim.rate.normalisation import Normalisation
from cortexsim.rate.places import Places
from cortexsim.rate.projection import Projection
from cortexsim.rate.weights import feedback_weights, normal_weights, uniform_weights
from cortexsim.topology import Topology


@dataclass(frozen=True)
class NetworkPlan:
    """All that determines the layers of a network; layers are numbered from 1.

    >>> from cortexsim.rate.architecture import Architecture, Synapses
    >>> from cortexsim.topology import tree
    >>> like = torch.empty(0)
    >>> plan = NetworkPlan(Architecture(cells=16), tree(depth=2, size=2, channels=8), 4, 0, Synapses(), like)
    >>> plan.weight_shape(1), plan.weight_shape(2)  # (groups, cells, pre)
    ((1, 16, 16), (1, 16, 32))
    """

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
        cells = self.topology.layers[number - 1].cells or self.architecture.cells
        return 2 * cells if self.architecture.on_off and self.predicts(number) else cells

    def predicts(self, number: int) -> bool:
        """Whether a layer sends predictions: where columns are context of each other."""
        wiring = self.context(number)
        return self.architecture.sends == "prediction" and wiring.shape is not None and wiring.columns.shape[1] > 0

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

    def contexts(self, number: int) -> list[ContextWiring]:
        """Work out the context of each dendrite of the cells of a layer that learn."""
        listed, default = self.synapses.context or ("none",) * self.topology.depth, self.architecture.cells
        layers, top = self.topology.layers, highest_with_context(listed)
        tops, own, highest = layers[top - 1].positions, self.architecture.projection, layers[top - 1]
        each = highest.cells or default
        places = highest.sent if highest.places is None else len(highest.places)
        sizes = {"label": self.classes, "top": each * tops * (tops - 1), "view-top": each * places}
        groups = 1 if self.shared(number) else layers[number - 1].positions
        cells = own or layers[number - 1].cells or default
        names = dendrites(listed[number - 1])
        return [ContextWiring.of(name, self.topology, number, groups, cells, sizes) for name in names]

    def context(self, number: int) -> ContextWiring:
        """Work out the context of the first dendrite."""
        return self.contexts(number)[0]

    def dendrites(self, number: int) -> tuple[Dendrite, ...]:
        """Build the dendrites of a layer beside the first."""
        found = []
        for dendrite, wiring in enumerate(self.contexts(number)[1:], 2):
            weights = wiring.projection(self.synapses.context_synapses, self.seed, number, self.like, dendrite)
            assert weights is not None
            found.append(Dendrite(weights, torch.from_numpy(wiring.columns).to(self.like.device), wiring.external))
        return tuple(found)

    def first_weights(self, number: int) -> tuple[Tensor, Tensor]:
        """Draw the initial feedforward weights, of shape `weight_shape`, and the biases, (groups, cells)."""
        groups, cells, pre = shape = self.weight_shape(number)
        if self.architecture.initial == "uniform":
            largest = self.architecture.initial_scale * math.sqrt(1 / pre)
            weights = uniform_weights(self.seed, ("weights", number), shape, largest, self.like)
            return weights, uniform_weights(self.seed, ("biases", number), (groups, cells), largest, self.like)
        deviation = self.architecture.initial_scale * math.sqrt(2 / pre)
        weights = normal_weights(self.seed, ("weights", number), shape, deviation, self.like)
        return weights, self.like.new_zeros(groups, cells)

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
        groups, cells, _ = self.weight_shape(number)
        weights, bias = self.first_weights(number)
        projects = self.projects(number)
        wiring = self.context(number)
        layer = Layer(
            positions=columns.positions,
            fields=None if columns.contiguous else torch.from_numpy(columns.fields).to(device),
            padded=columns.padded,
            pools=None if columns.pools is None else torch.from_numpy(columns.pools).to(device),
            pooling=columns.pooling,
            feedforward=Projection(weights),
            bias=bias,
            transfer=a.transfer,
            context=None
            if projects
            else wiring.projection(self.synapses.context_synapses, self.seed, number, self.like),
            context_index=torch.from_numpy(wiring.columns).to(device),
            external_context=wiring.external,
            feedback=self.feedback(number),
            input_scaling=InputScaling(a.input_rms, a.input_scaling, self.like.new_zeros(())),
            mean=self.like.new_zeros(groups, cells),
            mean_rate=a.mean_rate,
            covariance_rate=a.covariance_rate,
            sends=a.sends,
            on_off=a.on_off,
            normalisation=None if a.normalisation == "none" else Normalisation.identity(a.normalisation, bias),
            projection=self.projection(number) if projects else None,
            dendrites=self.dendrites(number),
            places=Places.of(columns, self.like),
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
            input_scaling=InputScaling(None, a.input_scaling, self.like.new_zeros(())),
            mean=self.like.new_zeros(groups, cells),
            context_index=torch.from_numpy(wiring.columns).to(self.like.device),
            external_context=wiring.external,
            mean_rate=a.mean_rate,
            covariance_rate=a.covariance_rate,
            offset=self.like.new_zeros(groups, cells),
        )
