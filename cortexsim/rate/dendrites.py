"""How the dendrites of a layer vary, and what dendrites and rates foretell of each other."""

from dataclasses import dataclass

from torch import Tensor

from cortexsim.rate.projection import Projection


@dataclass
class Dendrites:
    """Follow what the dendrites of a layer hear.

    Attributes:
        heard: mean of each context cell, (copies, context cells).
        covariance: of the dendrites of a column, (copies, cells, cells).
    """

    heard: Tensor
    covariance: Tensor

    @classmethod
    def silent(cls, context: Projection) -> "Dendrites":
        """Begin before anything is heard through these synapses."""
        copies, cells, width = context.weights.shape
        like = context.weights
        return cls(like.new_zeros(copies, width), like.new_zeros(copies, cells, cells))

    def of(self, context: Projection, heard: Tensor) -> "Dendrites":
        """Measure those of a batch, which hears (batch, positions, context cells)."""
        mean = context.average(heard)
        straying = context(heard - context.expand_to_positions(mean, heard.shape[1]))
        return Dendrites(mean, context.correlate(straying, straying))

    def follow(self, found: "Dendrites", mean_rate: float, covariance_rate: float) -> None:
        """Come closer to those of a batch."""
        self.heard.lerp_(found.heard, mean_rate)
        self.covariance.lerp_(found.covariance, covariance_rate)

    def signals(self, context: Projection, heard: Tensor, centred: Tensor, covariance: Tensor) -> dict[str, Tensor]:
        """Say what each cell reads of the dendrites of its column, (batch, positions, cells).

        Args:
            context: the synapses onto them.
            heard: what they hear, (batch, positions, context cells).
            centred: rates less their means, (batch, positions, cells).
            covariance: of the rates, (copies, cells, cells).
        """
        usual = context(context.expand_to_positions(self.heard, heard.shape[1]).unsqueeze(0))
        return {
            "dendrite_mean_post": usual,
            "predicted_rate_post": Projection(covariance)(context(heard) - usual),
            "predicted_dendrite_post": Projection(self.covariance)(centred),
        }

    def state(self) -> dict[str, Tensor]:
        """Name its tensors."""
        return {"heard_mean": self.heard, "dendrite_covariance": self.covariance}
