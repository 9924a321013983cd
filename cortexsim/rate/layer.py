"""A layer of rate cells: the columns of one level, each over its own patch of the level below."""

from collections.abc import Mapping, Set
from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

import torch
from torch import Tensor
from torch.nn.functional import rms_norm

from cortexsim.rate.dendrites import Dendrites
from cortexsim.rate.normalisation import Normalisation
from cortexsim.rate.projection import Projection
from cortexsim.rate.transfer import TRANSFERS
from cortexsim.rate.views import Views

GAIN_RATE = 0.01  # Per batch: how fast the input gain follows the activity below.


class Response(NamedTuple):
    """What a layer makes of one batch: its scaled input, its drive a = W x + b, and its activity z = rho(a)."""

    pre: Tensor  # (batch, positions, pre)
    drive: Tensor  # (batch, positions, cells)
    activity: Tensor  # (batch, positions, cells)


@dataclass
class Layer:
    """Hold the cells and synapses of one layer.

    Attributes:
        positions: columns in the layer.
        fields: which positions below each column sees, (positions, k); None where columns see one run after the other.
        pools: which columns are pooled for the layer above, (positions sent, n); None where all are sent.
        pooling: ``"mean"`` or ``"max"``, of each cell over the columns that are pooled.
        feedforward: W, (copies, cells, pre).
        bias: (copies, cells).
        transfer: name of the transfer function.
        context: B, from the context onto the dendrite; None where nothing is heard.
        feedback: F, from a vector modulator, or B, from the layer above; None where nothing is heard.
        input_rms: root mean square to which the input is brought; None leaves it as it is.
        input_scaling: ``"synaptic"``, by a gain of the layer that follows it; or ``"sample"``, each column's by itself.
        mean: running mean of the activity, (copies, cells); where dendrites are followed, a copy for each of B.
        covariance: running covariance of the activity, (copies, cells, cells); None where nothing reads it.
        views: running statistics of what namesakes in the context bring; None where nothing reads them.
        dendrites: running statistics of what the dendrites hear; None where nothing reads them.
        mean_rate: how fast running means follow, per batch; at 1 they are those of the batch.
        covariance_rate: the same of variances and covariances.
        has_varied: whether it follows any activity yet; the first sets it.
        input_square: running mean square of the input.
        context_index: which columns of the layer the dendrites of each one hear, (positions, n); those of a second view
            of the sample count on from those of the first.
        external_context: what they hear beside them that is not of this layer, by name.
        sends: ``"activity"``, or ``"prediction"``: what it makes the dendrites of those that hear it expect,
            as the predictor-clusterers of Korchinski, Favero, Wyart 2026 do, who predict cousins and send clusters.
        has_input: whether the layer has learned from any input yet; until then the input is not scaled.
        normalisation: of the drive; None leaves it as it is.
        normalised_prediction: the same of what it predicts, before that is rectified.
    """

    positions: int
    feedforward: Projection
    bias: Tensor
    transfer: str
    context: Projection | None
    feedback: Projection | None
    input_rms: float | None
    mean: Tensor
    input_square: Tensor
    context_index: Tensor
    external_context: tuple[str, ...] = ()
    sends: str = "activity"
    input_scaling: str = "synaptic"
    has_input: bool = False
    covariance: Tensor | None = None
    views: Views | None = None
    dendrites: Dendrites | None = None
    mean_rate: float = 0.01
    covariance_rate: float = 0.01
    has_varied: bool = False
    fields: Tensor | None = None
    pools: Tensor | None = None
    pooling: str = "mean"
    normalisation: Normalisation | None = None
    normalised_prediction: Normalisation | None = None

    def respond(self, below: Tensor, learning: bool = False) -> Response:
        """Answer the activity below, (batch, positions below, cells below).

        Args:
            below: one row a column of the layer below, or a position of the input.
            learning: lets the input gain and a normalisation follow the input; evaluation changes nothing.
        """
        return self.answer(self.gather(below), learning)

    def answer(self, seen: Tensor, learning: bool = False) -> Response:
        """Answer what each column sees, (batch, positions, n k), as `gather` brings it."""
        pre = self._scale(seen, learning)
        if self.normalisation is not None:
            drive = self.normalisation(self.feedforward(pre), learning)
        else:
            drive = self.feedforward(pre, self.bias)
        return Response(pre, drive, self.rate(drive))

    def gather(self, below: Tensor) -> Tensor:
        """Bring what is below to the columns that see it: (batch, positions below, k) to (batch, positions, n k)."""
        if self.fields is not None:
            below = below.index_select(1, self.fields.flatten())
        return below.reshape(below.shape[0], self.positions, -1)

    def scatter(self, values: Tensor, below: int) -> Tensor:
        """Bring what each column has for those that it sees to them, summed: `gather` from its other end.

        Args:
            values: (batch, positions, n k).
            below: positions there.

        Returns:
            (batch, positions below, k).
        """
        if self.fields is None:
            return values.reshape(len(values), below, -1)
        each = values.unflatten(2, (self.fields.shape[1], -1)).flatten(1, 2)
        return each.new_zeros(len(values), below, each.shape[2]).index_add(1, self.fields.flatten(), each)

    @property
    def cells(self) -> int:
        """Cells of a column."""
        return self.bias.shape[1]

    @property
    def gain(self) -> Tensor | float:
        """What synaptic scaling multiplies the input by."""
        return self.input_rms * self.input_square.rsqrt() if self.input_rms is not None and self.has_input else 1.0

    def project_feedback(self, said: Tensor) -> Tensor:
        """Bring a vector modulator (batch, 1, components) to the cells: (batch, positions, cells)."""
        assert self.feedback is not None
        return self.feedback(said.expand(-1, self.positions, -1))

    def __call__(self, below: Tensor, learning: bool = False) -> Tensor:
        """Answer with what it sends up: (batch, positions below, cells below) to (batch, positions sent, cells)."""
        return self.send(self.respond(below, learning).activity, learning)

    @property
    def predicts(self) -> bool:
        """Whether it sends predictions: it is to, and columns of the layer hear it, in this view or a second one."""
        return self.sends == "prediction" and self.context is not None and bool(self.context_index.shape[1])

    @property
    def uses_second_view(self) -> bool:
        """Whether its dendrites hear a second view of the sample."""
        return bool((self.context_index >= self.positions).any())

    def send(self, activity: Tensor, learning: bool = False) -> Tensor:
        """Say what the layer above is told: the activity, or the rates of what it predicts (Korchinski et al. 2026)."""
        if self.predicts:
            drive, normalise = self._predictions()(activity), self.normalised_prediction
            activity = self.rate(drive if normalise is None else normalise(drive, learning))
        if self.pools is None:
            return activity
        several = activity[:, self.pools]  # (batch, positions sent, n, cells)
        return several.amax(2) if self.pooling == "max" else several.mean(2)

    @property
    def multiply_adds(self) -> int:
        """Count the multiplications, each with an addition, from the input of one sample to what the layer sends."""
        _, cells, pre = self.feedforward.weights.shape
        return self.positions * cells * (pre + (cells if self.predicts else 0))

    def _predictions(self) -> Projection:
        """Find the synapses by which each column reaches the dendrites that hear it, summed over those dendrites.

        They are context synapses of the other columns, read from their presynaptic end; where columns share theirs, on
        average over those that do: neighbours at the edges are others than elsewhere.
        """
        assert self.context is not None
        copies, cells, _ = self.context.weights.shape
        count = self.context_index.shape[1]
        onto = self.context.weights[:, :, : count * cells].unflatten(2, (count, cells)).transpose(1, 2).flatten(0, 1)
        sources = (self.context_index % copies).unflatten(0, (-1, copies))
        alike = sources[:1] if bool((sources == sources[0]).all()) else sources
        reached = torch.zeros_like(onto[:1]).expand(copies, -1, -1)
        found = reached.index_add(0, alike.flatten(), onto.repeat(len(alike), 1, 1))
        return Projection(found / len(alike))

    def rate(self, drive: Tensor) -> Tensor:
        """Answer with the activity rho(a)."""
        return TRANSFERS[self.transfer].rate(drive)

    def derivative(self, drive: Tensor) -> Tensor:
        """Answer with the slope rho'(a)."""
        return TRANSFERS[self.transfer].derivative(drive)

    def _scale(self, pre: Tensor, learning: bool) -> Tensor:
        """Bring the input to its root mean square: on average, or in every sample and column."""
        if self.input_rms is None:
            return pre
        if self.input_scaling == "sample":
            return self.input_rms * rms_norm(pre, pre.shape[-1:])
        if learning:
            self._follow_input(pre)
        return pre * self.gain

    def _follow_input(self, pre: Tensor) -> None:
        """Let the gain follow the input, as homeostatic synaptic scaling would (Turrigiano 2008); the first sets it."""
        square = pre.detach().square().mean()
        if self.has_input:
            self.input_square.lerp_(square, GAIN_RATE)
        else:
            self.input_square.copy_(square)
            self.has_input = bool(square > 0)  # Silence is no input yet: nothing can scale it.

    def moments(self, activity: Tensor) -> tuple[Tensor, Tensor]:
        """Average activity (batch, positions, cells): means (copies, cells) and covariances (copies, cells, cells)."""
        alike = self.statistics_groups
        mean = alike.average(activity)
        centred = activity - alike.expand_to_positions(mean, self.positions)
        return mean, alike.correlate(centred, centred)

    @property
    def statistics_groups(self) -> Projection:
        """The synapses whose copies tell which columns are averaged together."""
        return self.feedforward if self.dendrites is None or self.context is None else self.context

    def follow(self, activity: Tensor, heard: Tensor | None = None) -> None:
        """Let the running means, and covariances, follow the activity; part of learning, never of evaluation.

        Args:
            activity: of the cells, (batch, positions, cells).
            heard: what their dendrites hear, (batch, positions, context cells).
        """
        if self.covariance is None:
            self.mean.lerp_(self.feedforward.average(activity), self.mean_rate)
            return
        rates = (self.mean_rate, self.covariance_rate) if self.has_varied else (1.0, 1.0)
        if self.views is not None and heard is not None:
            self.views.follow(self.views.of(self.feedforward, activity, self.same_index_mean(heard)), *rates)
        if self.dendrites is not None and self.context is not None and heard is not None:
            self.dendrites.follow(self.dendrites.of(self.context, heard), *rates)
        mean, covariance = self.moments(activity)
        self.mean.lerp_(mean, rates[0])
        self.covariance.lerp_(covariance, rates[1])
        self.has_varied = True

    def prepare(self, requires: Set[str]) -> None:
        """Begin to follow what a rule requires: covariances of the activity, and those of views and dendrites."""
        if "views" in requires:
            self.views = Views.silent(self.bias)
        if "dendrites" in requires and self.context is not None:
            self.dendrites = Dendrites.silent(self.context)
            self.mean = self.bias.new_zeros(self.context.groups, self.bias.shape[1])
        if "covariance" in requires:
            self.covariance = self.mean.new_zeros(*self.mean.shape, self.mean.shape[1])

    def gather_context(
        self, activity: Tensor, outside: Mapping[str, Tensor] = MappingProxyType({}), view: Tensor | None = None
    ) -> Tensor:
        """Gather what the dendrites hear: (batch, positions, context cells).

        Args:
            activity: of the layer itself, (batch, positions, cells).
            outside: what they hear from elsewhere by name, each (batch, 1 or positions, cells).
            view: activity of the layer in a second view of each sample, where they hear it, (batch, positions, cells).
        """
        columns = activity if view is None else torch.cat([activity, view], 1)
        own = columns.index_select(1, self.context_index.flatten()).view(activity.shape[0], self.positions, -1)
        if not self.external_context:
            return own
        return torch.cat([own, *(outside[name].expand(-1, self.positions, -1) for name in self.external_context)], 2)

    def same_index_mean(self, heard: Tensor) -> Tensor:
        """Average what one-to-one synapses bring, (batch, positions, k cells) to (batch, positions, cells)."""
        cells = self.bias.shape[1]
        return heard if heard.shape[2] == cells else heard.unflatten(2, (-1, cells)).mean(2)

    def state(self) -> dict[str, Tensor]:
        """Name every tensor that learning may change or a result depends on."""
        named = {
            "feedforward": self.feedforward.weights,
            "bias": self.bias,
            "mean": self.mean,
            "input_square": self.input_square,
        }
        if self.covariance is not None:
            named["covariance"] = self.covariance
        for part in (self.views, self.dendrites, self.normalisation, self.normalised_prediction):
            named |= {} if part is None else part.state()
        synapses = {"context": self.context, "feedback": self.feedback}
        return named | {name: found.weights for name, found in synapses.items() if found is not None}
