"""Running statistics of a layer beside the mean and covariance of its rates: of its dendrites, and of second views."""

from dataclasses import dataclass

from torch import Tensor

from cortexsim.rate.projection import Projection

FLOOR = 1e-4  # Added to a variance, so that a silent view has a standard deviation.


@dataclass
class DendriteStatistics:
    """Running mean of the dendritic input of a layer, and running covariance of its dendrites.

    Attributes:
        input_mean: mean of each context cell, (groups, context cells).
        covariance: of the dendrites of a column, (groups, cells, cells).
    """

    input_mean: Tensor
    covariance: Tensor

    @classmethod
    def zeros(cls, context: Projection) -> "DendriteStatistics":
        """Create the statistics of dendrites that have had no input, for these context synapses."""
        groups, cells, width = context.weights.shape
        like = context.weights
        return cls(like.new_zeros(groups, width), like.new_zeros(groups, cells, cells))

    def of_batch(self, context: Projection, inputs: Tensor) -> "DendriteStatistics":
        """Compute the statistics of a batch of dendritic input, (batch, positions, context cells)."""
        mean = context.average(inputs)
        centred = context(inputs - context.expand_to_positions(mean, inputs.shape[1]))
        return DendriteStatistics(mean, context.correlate(centred, centred))

    def update(self, batch: "DendriteStatistics", mean_rate: float, covariance_rate: float) -> None:
        """Move towards the statistics of a batch, by these fractions of the difference."""
        self.input_mean.lerp_(batch.input_mean, mean_rate)
        self.covariance.lerp_(batch.covariance, covariance_rate)

    def signals(self, context: Projection, inputs: Tensor, centred: Tensor, covariance: Tensor) -> dict[str, Tensor]:
        """Compute the signals that depend on these statistics.

        Args:
            context: the synapses onto the dendrites.
            inputs: to the dendrites, (batch, positions, context cells).
            centred: rates minus their means, (batch, positions, cells).
            covariance: of the rates, (groups, cells, cells).

        Returns:
            Signals by name: the mean, (1, 1 or positions, cells), and predictions, (batch, positions, cells).
        """
        mean = context(context.expand_to_positions(self.input_mean, inputs.shape[1]).unsqueeze(0))
        return {
            "dendrite_mean_post": mean,
            "predicted_rate_post": Projection(covariance)(context(inputs) - mean),
            "predicted_dendrite_post": Projection(self.covariance)(centred),
        }

    def state(self) -> dict[str, Tensor]:
        """Return its tensors, not copies, by name, with the shapes of its attributes."""
        return {"context_mean": self.input_mean, "dendrite_covariance": self.covariance}


@dataclass
class ViewStatistics:
    """Running statistics of views, the activity that one-to-one synapses bring from the context of a layer.

    >>> import torch
    >>> seen = ViewStatistics.zeros(torch.empty(1, 2))  # Of two cells.
    >>> batch = ViewStatistics(torch.tensor([[1.0, 3.0]]), variance=torch.ones(1, 2), covariance=torch.eye(2)[None])
    >>> seen.update(batch, mean_rate=0.5, covariance_rate=0.01)
    >>> seen.mean.tolist()
    [[0.5, 1.5]]

    Attributes:
        mean: of each view, (groups, cells).
        variance: of each view, (groups, cells).
        covariance: of rates with views, (groups, cells, cells).
    """

    mean: Tensor
    variance: Tensor
    covariance: Tensor

    @classmethod
    def zeros(cls, like: Tensor) -> "ViewStatistics":
        """Create the statistics of views that have been silent, for as many cells as in ``like``, (groups, cells)."""
        return cls(like.new_zeros(like.shape), like.new_zeros(like.shape), like.new_zeros(*like.shape, like.shape[1]))

    def of_batch(self, groups: Projection, activity: Tensor, views: Tensor) -> "ViewStatistics":
        """Compute the statistics of a batch.

        Args:
            groups: projection whose weight groups define which columns are averaged together.
            activity: of the cells, (batch, positions, cells).
            views: (batch, positions, cells).
        """
        mean = groups.average(views)
        centred = views - groups.expand_to_positions(mean, views.shape[1])
        return ViewStatistics(mean, groups.average(centred.square()), groups.correlate(activity, centred))

    def update(self, batch: "ViewStatistics", mean_rate: float, covariance_rate: float) -> None:
        """Move towards the statistics of a batch, by these fractions of the difference."""
        self.mean.lerp_(batch.mean, mean_rate)
        self.variance.lerp_(batch.variance, covariance_rate)
        self.covariance.lerp_(batch.covariance, covariance_rate)

    def signals(self, views: Tensor) -> dict[str, Tensor]:
        """Compute the signals that depend on these statistics.

        Args:
            views: (batch, positions, cells).

        Returns:
            Signals by name, (batch, positions, cells), or (1 or positions, cells) where views do not matter.
        """
        deviation = (self.variance + FLOOR).sqrt()
        weights = Projection(self.covariance / deviation.unsqueeze(1))
        mean, deviation, own, power = (
            weights.expand_to_positions(values, views.shape[1])
            for values in (
                self.mean,
                deviation,
                weights.weights.diagonal(dim1=1, dim2=2),
                weights.weights.square().sum(2),
            )
        )
        normalised = (views - mean) / deviation
        return {
            "view_post": normalised,
            "cross_covariance_post": own,
            "cross_input_post": weights(normalised) - own * normalised,
            "cross_power_post": power - own.square(),
        }

    def state(self) -> dict[str, Tensor]:
        """Return its tensors, not copies, by name, with the shapes of its attributes."""
        return {"view_mean": self.mean, "view_variance": self.variance, "view_covariance": self.covariance}
