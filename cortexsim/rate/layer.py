"""A layer of rate cells: the columns of one level, each with its receptive field in the level below."""

from collections.abc import Mapping, Set
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import pad

from cortexsim.rate.input_scaling import InputScaling
from cortexsim.rate.normalisation import Normalisation
from cortexsim.rate.places import Places
from cortexsim.rate.projection import Projection
from cortexsim.rate.statistics import DendriteStatistics, ViewStatistics
from cortexsim.rate.transfer import TRANSFERS

OFFSET_RATE = 0.05  # Per batch: how fast the inhibition of projection cells follows their mean.


class Response(NamedTuple):
    """The response of a layer to one batch.

    Attributes:
        pre: scaled input x, (batch, positions, pre).
        drive: a = W x + b, (batch, positions, cells).
        activity: z = rho(a), (batch, positions, cells).
    """

    pre: Tensor
    drive: Tensor
    activity: Tensor


@dataclass(frozen=True)
class Dendrite:
    """A further dendrite of every cell of a layer, with synapses and a score of its own.

    Attributes:
        context: B, (groups, cells, context cells).
        context_index: as that of a `Layer`.
        external_context: as that of a `Layer`.
    """

    context: Projection
    context_index: Tensor
    external_context: tuple[str, ...]


@dataclass
class Layer:
    """The cells and synapses of one layer.

    Columns share weights within weight groups: see `Projection`.

    >>> from cortexsim.rate import Architecture, Network
    >>> from cortexsim.topology import tree
    >>> network = Network.build(Architecture(cells=16), tree(depth=2, size=2, channels=8), classes=4, seed=0)
    >>> first = network.layers[0]
    >>> response = first.respond(torch.rand(10, 4, 8))  # (batch, positions below, channels)
    >>> tuple(response.pre.shape), tuple(response.activity.shape)
    ((10, 2, 16), (10, 2, 16))
    >>> first.multiply_adds
    512

    Attributes:
        positions: number of columns.
        feedforward: W, (groups, cells, pre).
        bias: (groups, cells).
        transfer: name of the transfer function.
        context: B, from the context onto the dendrites, (groups, cells, context cells); None without such synapses.
        feedback: weights onto the cells, (groups, cells, components): F, of a vector modulator, or B, from the layer
            above or from the projection. None without such synapses.
        input_scaling: of the input, before the weights.
        mean: running mean of the activity, (groups, cells); in the groups of B where dendrites are tracked.
        context_index: columns of the layer that each column has as its context, (positions, n). Those of a second view
            of the sample are numbered from ``positions`` on.
        external_context: names of further sources of its dendrites, which are not columns of this layer.
        sends: output code, ``"activity"``, ``"prediction"`` or ``"projection"``. A prediction is the expected dendritic
            input of the columns that have this one as context, after the predictor-clusterers of Korchinski, Favero &
            Wyart 2026, which predict cousins and send clusters.
        on_off: whether its predictions are sent by ON cells, and then as many OFF cells.
        covariance: running covariance of the activity, (groups, cells, cells); None where no rule reads it.
        view_statistics: of the one-to-one input from the context; None where no rule reads them.
        dendrite_statistics: None where no rule reads them.
        mean_rate: fraction per batch by which running means adapt; with 1 they are those of the batch.
        covariance_rate: the same of variances and covariances.
        has_varied: whether variances and covariances have been set; the first batch sets them.
        fields: receptive field of each column, indices of positions below, (positions, k); None where they are
            consecutive, as in a tree.
        padded: whether the largest index stands for positions beyond the edge, which are silent.
        pools: columns that are pooled for the layer above, (positions sent, n); None without pooling.
        pooling: ``"mean"`` or ``"max"`` over the columns of a pool, cell by cell.
        normalisation: of the drive; None without.
        prediction_normalisation: of the prediction, before it is rectified; None without.
        projection: linear cells of the same columns, which receive the activity of these cells and on which a rule acts
            in their place; a layer of its own, with the context. None without.
        dendrites: further ones beside that of ``context``.
        places: blocks of columns that share their dendrites; None where every column has its own.
        offset: of the cells of a projection, what inhibition takes from them before they send, (groups, cells): their
            running mean. None for other cells.
    """

    positions: int
    feedforward: Projection
    bias: Tensor
    transfer: str
    context: Projection | None
    feedback: Projection | None
    input_scaling: InputScaling
    mean: Tensor
    context_index: Tensor
    external_context: tuple[str, ...] = ()
    sends: str = "activity"
    on_off: bool = False
    covariance: Tensor | None = None
    view_statistics: ViewStatistics | None = None
    dendrite_statistics: DendriteStatistics | None = None
    mean_rate: float = 0.01
    covariance_rate: float = 0.01
    has_varied: bool = False
    fields: Tensor | None = None
    padded: bool = False
    pools: Tensor | None = None
    pooling: str = "mean"
    normalisation: Normalisation | None = None
    prediction_normalisation: Normalisation | None = None
    projection: "Layer | None" = None
    dendrites: tuple[Dendrite, ...] = ()
    places: Places | None = None
    offset: Tensor | None = None

    @property
    def cells(self) -> int:
        """Number of cells of a column."""
        return self.bias.shape[1]

    @property
    def cells_sent(self) -> int:
        """Number of cells by which a column sends its output."""
        if self.sends_projection and self.projection is not None:
            return 2 * self.projection.cells
        return 2 * self.cells if self.predicts and self.on_off else self.cells

    @property
    def predicts(self) -> bool:
        """Whether it sends predictions: where it should, and its columns are context of each other or of a view."""
        return self.sends == "prediction" and self.context is not None and bool(self.context_index.shape[1])

    @property
    def sends_projection(self) -> bool:
        """Whether it sends its projection: where it should, and has one."""
        return self.sends == "projection" and self.projection is not None

    @property
    def uses_second_view(self) -> bool:
        """Whether its context includes a second view of the sample."""
        return bool((self.context_index >= self.positions).any())

    @property
    def each_dendrite(self) -> "list[Layer]":
        """The layer with each of its dendrites in turn, as the only one; all else is the same, not copied."""
        return [self, *(replace(self, **vars(dendrite), dendrites=()) for dendrite in self.dendrites)]

    @property
    def columns_per_score(self) -> int:
        """Number of columns of a weight group that share one score, so that their updates add and are not averaged."""
        return 1 if self.places is None else self.positions // self.feedforward.groups

    @property
    def learning_cells(self) -> "Layer":
        """The cells on which a rule acts: those of the projection, where there is one, or its own."""
        return self if self.projection is None else self.projection

    @property
    def statistics_groups(self) -> Projection:
        """Projection whose weight groups define over which columns running statistics are averaged."""
        return self.feedforward if self.dendrite_statistics is None or self.context is None else self.context

    @property
    def multiply_adds(self) -> int:
        """Number of multiplications with an addition from the input to the output of the layer, for one sample."""
        _, cells, pre = self.feedforward.weights.shape
        return self.positions * cells * (pre + self._second_stage)

    @property
    def _second_stage(self) -> int:
        """Number of cells that receive from each cell of a column and are sent up in its place."""
        if self.sends == "projection" and self.projection is not None:
            return self.projection.cells
        return self.cells if self.predicts else 0

    def used_multiply_adds(self, below: Tensor) -> float:
        """Count multiplications with an addition for one sample on average, but for those by an activity of zero.

        Args:
            below: activity of the layer below, or input, (batch, positions below, cells below).
        """
        used = self.gather(below).count_nonzero() * self.cells
        if self._second_stage:
            used = used + self.respond(below).activity.count_nonzero() * self._second_stage
        return float(used) / len(below)

    def __call__(self, below: Tensor, learning: bool = False) -> Tensor:
        """Compute the output to the layer above.

        Args:
            below: activity of the layer below, or input, (batch, positions below, cells below).
            learning: whether the input gain and normalisations adapt; in evaluation nothing changes.

        Returns:
            (batch, positions sent, cells).
        """
        return self.send(self.respond(below, learning).activity, learning)

    def respond(self, below: Tensor, learning: bool = False) -> Response:
        """Compute the response to the layer below.

        Args:
            below: activity of the layer below, or input, (batch, positions below, cells below).
            learning: whether the input gain and normalisations adapt; in evaluation nothing changes.
        """
        return self.respond_to_patches(self.gather(below), learning)

    def respond_to_patches(self, patches: Tensor, learning: bool = False) -> Response:
        """Compute the response to the contents of the receptive fields.

        Args:
            patches: (batch, positions, n k), as `gather` returns them.
            learning: whether the input gain and the normalisation adapt.
        """
        pre = self.input_scaling(patches, learning)
        if self.normalisation is not None:
            drive = self.normalisation(self.feedforward(pre), learning)
        else:
            drive = self.feedforward(pre, self.bias)
        return Response(pre, drive, self.rate(drive))

    def project(self, response: Response) -> Response:
        """Compute the response of the learning cells: that of the projection to the activity, or else the same."""
        return response if self.projection is None else self.projection.respond_to_patches(response.activity)

    def gather(self, below: Tensor) -> Tensor:
        """Gather the content of each receptive field: (batch, positions below, k) to (batch, positions, n k)."""
        if self.fields is not None:
            below = pad(below, (0, 0, 0, 1)) if self.padded else below
            below = below.index_select(1, self.fields.flatten())
        return below.reshape(below.shape[0], self.positions, -1)

    def scatter(self, values: Tensor, below: int) -> Tensor:
        """Sum values at the positions of the receptive fields that they belong to: the transpose of `gather`.

        Args:
            values: (batch, positions, n k).
            below: number of positions below.

        Returns:
            (batch, positions below, k).
        """
        if self.fields is None:
            return values.reshape(len(values), below, -1)
        each = values.unflatten(2, (self.fields.shape[1], -1)).flatten(1, 2)
        summed = each.new_zeros(len(values), below + self.padded, each.shape[2])
        return summed.index_add(1, self.fields.flatten(), each)[:, :below]

    def project_feedback(self, modulator: Tensor) -> Tensor:
        """Project a vector modulator through the feedback weights: (batch, 1, components) to (batch, positions, cells).

        The layer must have feedback weights.
        """
        assert self.feedback is not None
        return self.feedback(modulator.expand(-1, self.positions, -1))

    def send(self, activity: Tensor, learning: bool = False) -> Tensor:
        """Compute the output of the layer from its activity.

        It is the activity, or the rectified prediction (Korchinski, Favero & Wyart 2026), or the projection less its
        mean, by cells that are active above it, ON, and then as many that are active below it, OFF; and predictions too
        where there are such cells. It is pooled where there are pools.

        Args:
            activity: (batch, positions, cells).
            learning: whether the normalisation of predictions adapts.

        Returns:
            (batch, positions sent, cells sent).
        """
        if self.predicts:
            drive, normalise = self._prediction_weights()(activity), self.prediction_normalisation
            drive = drive if normalise is None else normalise(drive, learning)
            activity = self.rate(torch.cat([drive, -drive], 2) if self.on_off else drive)
        elif self.sends == "projection" and (cells := self.projection) is not None and cells.offset is not None:
            drive = cells.respond_to_patches(activity).drive
            drive = drive - cells.feedforward.expand_to_positions(cells.offset, self.positions)
            activity = torch.relu(torch.cat([drive, -drive], 2))
        if self.pools is None:
            return activity
        pooled = activity[:, self.pools]  # (batch, positions sent, n, cells)
        return pooled.amax(2) if self.pooling == "max" else pooled.mean(2)

    def rate(self, drive: Tensor) -> Tensor:
        """Compute the activity rho(a) for a drive, elementwise, (batch, positions, cells)."""
        return TRANSFERS[self.transfer].rate(drive)

    def derivative(self, drive: Tensor) -> Tensor:
        """Compute the derivative rho'(a) for a drive, elementwise, (batch, positions, cells)."""
        return TRANSFERS[self.transfer].derivative(drive)

    def gather_context(
        self, activity: Tensor, external: Mapping[str, Tensor] = MappingProxyType({}), view: Tensor | None = None
    ) -> Tensor:
        """Gather the input of the dendrites.

        Args:
            activity: of the layer itself, (batch, positions, cells).
            external: activity of the external context by name, each (batch, 1 or positions, cells).
            view: activity of the layer in a second view of each sample, (batch, positions, cells), where its context
                includes one; the averages of its places, (batch, 1, places cells), where it has places.

        Returns:
            (batch, positions, context cells), or (batch, 1, context cells) where it has places.
        """
        if self.places is not None:
            inside = [view] if self.uses_second_view and view is not None else []
            return torch.cat([*inside, *(external[name] for name in self.external_context)], 2)
        columns = activity if view is None else torch.cat([activity, view], 1)
        own = columns.index_select(1, self.context_index.flatten()).view(activity.shape[0], self.positions, -1)
        if not self.external_context:
            return own
        return torch.cat([own, *(external[name].expand(-1, self.positions, -1) for name in self.external_context)], 2)

    def dendritic_input(self, context: Tensor) -> Tensor:
        """Compute the input of the dendrites, B c, (batch, positions, cells), from what `gather_context` returns."""
        assert self.context is not None
        return self.context(context) if self.places is None else self.places.spread(self.context(context))

    def exposed(self, activity: Tensor) -> Tensor:
        """Compute what dendrites can receive from the layer: its activity, or the averages of its places.

        Args:
            activity: (batch, positions, cells).

        Returns:
            The same, or (batch, 1, places cells), of the cells that do not lose in a pool.
        """
        if self.places is None:
            return activity
        winners = self.places.winners(activity)
        return self.places.mean(activity if winners is None else winners * activity)

    def same_index_mean(self, context: Tensor) -> Tensor:
        """Average the cells of the same index in the context: (batch, positions, n cells) to (batch, positions, cells).

        It is the input through one-to-one synapses.
        """
        return context if context.shape[2] == self.cells else context.unflatten(2, (-1, self.cells)).mean(2)

    def track(self, requires: Set[str]) -> None:
        """Allocate the running statistics that a rule requires: ``"covariance"``, ``"views"``, ``"dendrites"``."""
        if "views" in requires:
            self.view_statistics = ViewStatistics.zeros(self.bias)
        if "dendrites" in requires and self.context is not None:
            self.dendrite_statistics = DendriteStatistics.zeros(self.context)
            self.mean = self.bias.new_zeros(self.context.groups, self.cells)
        if "covariance" in requires:
            self.covariance = self.mean.new_zeros(*self.mean.shape, self.cells)

    def batch_moments(self, activity: Tensor) -> tuple[Tensor, Tensor]:
        """Compute mean and covariance of a batch of activity.

        Args:
            activity: (batch, positions, cells).

        Returns:
            Mean, (groups, cells), and covariance, (groups, cells, cells).
        """
        groups = self.statistics_groups
        mean = groups.average(activity)
        centred = activity - groups.expand_to_positions(mean, self.positions)
        return mean, groups.correlate(centred, centred)

    def update_statistics(self, activity: Tensor, context: Tensor | None = None) -> None:
        """Move the running statistics towards those of a batch: part of learning, never of evaluation.

        Args:
            activity: of the cells, (batch, positions, cells).
            context: input of their dendrites, (batch, positions, context cells).
        """
        if self.covariance is None:
            self.mean.lerp_(self.feedforward.average(activity), self.mean_rate)
            return
        rates = (self.mean_rate, self.covariance_rate) if self.has_varied else (1.0, 1.0)
        if (views := self.view_statistics) is not None and context is not None:
            views.update(views.of_batch(self.feedforward, activity, self.same_index_mean(context)), *rates)
        if (dendrites := self.dendrite_statistics) is not None and self.context is not None and context is not None:
            dendrites.update(dendrites.of_batch(self.context, context), *rates)
        mean, covariance = self.batch_moments(activity)
        self.mean.lerp_(mean, rates[0])
        self.covariance.lerp_(covariance, rates[1])
        self.has_varied = True

    def follow_mean(self, activity: Tensor) -> None:
        """Move the offset of projection cells towards their mean in a batch of activity, (batch, positions, cells)."""
        assert self.offset is not None
        self.offset.lerp_(self.feedforward.average(activity), OFFSET_RATE)

    def state(self) -> dict[str, Tensor]:
        """Return by name all tensors, not copies, that learning may change or a result depends on.

        Shapes are those of the attributes of the layer and its parts.
        """
        named = {
            "feedforward": self.feedforward.weights,
            "bias": self.bias,
            "mean": self.mean,
            "input_square": self.input_scaling.square,
        }
        if self.covariance is not None:
            named["covariance"] = self.covariance
        parts = self.view_statistics, self.dendrite_statistics, self.normalisation, self.prediction_normalisation
        for part in parts:
            named |= {} if part is None else part.state()
        if self.offset is not None:
            named["offset"] = self.offset
        if self.projection is not None:
            named |= {f"projection.{name}": tensor for name, tensor in self.projection.state().items()}
        named |= {f"dendrite{k}.context": each.context.weights for k, each in enumerate(self.dendrites, 2)}
        synapses = {"context": self.context, "feedback": self.feedback}
        return named | {name: projection.weights for name, projection in synapses.items() if projection is not None}

    def _prediction_weights(self) -> Projection:
        """Sum, over target columns, the context weights that originate in each column.

        Where columns share their context weights, this is the average over those that do, as columns at an edge have
        other targets than those elsewhere.
        """
        assert self.context is not None
        groups, cells, _ = self.context.weights.shape
        count = self.context_index.shape[1]
        onto = self.context.weights[:, :, : count * cells].unflatten(2, (count, cells)).transpose(1, 2).flatten(0, 1)
        sources = (self.context_index % groups).unflatten(0, (-1, groups))
        distinct = sources[:1] if bool((sources == sources[0]).all()) else sources
        zeros = torch.zeros_like(onto[:1]).expand(groups, -1, -1)
        summed = zeros.index_add(0, distinct.flatten(), onto.repeat(len(distinct), 1, 1))
        return Projection(summed / len(distinct))
