"""How the views that one-to-one synapses bring of a context vary, and how cells vary with them."""

from dataclasses import dataclass

from torch import Tensor

from cortexsim.rate.projection import Projection

FLOOR = 1e-4  # Of a variance, so that a silent view has a deviation.


@dataclass
class Views:
    """Follow the views of the cells of a layer.

    Attributes:
        mean: of each view, (copies, cells).
        variance: of each view, (copies, cells).
        covariance: of cells with views, (copies, cells, cells).
    """

    mean: Tensor
    variance: Tensor
    covariance: Tensor

    @classmethod
    def silent(cls, like: Tensor) -> "Views":
        """Begin before any view, for cells like these, (copies, cells)."""
        return cls(like.new_zeros(like.shape), like.new_zeros(like.shape), like.new_zeros(*like.shape, like.shape[1]))

    def of(self, projection: Projection, activity: Tensor, views: Tensor) -> "Views":
        """Measure those of a batch.

        Args:
            projection: whose copies tell which columns are averaged together.
            activity: of the cells, (batch, positions, cells).
            views: (batch, positions, cells).
        """
        mean = projection.average(views)
        centred = views - mean
        return Views(mean, projection.average(centred.square()), projection.correlate(activity, centred))

    def follow(self, found: "Views", mean_rate: float, covariance_rate: float) -> None:
        """Come closer to those of a batch."""
        self.mean.lerp_(found.mean, mean_rate)
        self.variance.lerp_(found.variance, covariance_rate)
        self.covariance.lerp_(found.covariance, covariance_rate)

    def signals(self, views: Tensor) -> dict[str, Tensor]:
        """Say what each cell reads of the views, (batch, positions, cells)."""
        deviation = (self.variance + FLOOR).sqrt()
        normal = (views - self.mean) / deviation
        weights = self.covariance / deviation.unsqueeze(1)
        own = weights.diagonal(dim1=1, dim2=2)
        return {
            "view_post": normal,
            "cross_covariance_post": own,
            "cross_input_post": Projection(weights)(normal) - own * normal,
            "cross_power_post": weights.square().sum(2) - own.square(),
        }

    def state(self) -> dict[str, Tensor]:
        """Name its tensors."""
        return {"view_mean": self.mean, "view_variance": self.variance, "view_covariance": self.covariance}
