"""Normalisation of a layer's drive, after its weights and before its transfer function; torch's own."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import batch_norm, layer_norm

RUNNING_RATE = 0.1  # Per batch: how fast the statistics for evaluation follow, torch's default.


@dataclass
class Normalisation:
    """Bring the drive of every cell to mean 0 and variance 1, and scale it by a gain that is learned.

    ``batch`` takes the statistics of each cell over the batch and over all columns that share its weights, and their
    running means in evaluation (Ioffe & Szegedy 2015); ``layer`` those of each column over its cells (Ba, Kiros &
    Hinton 2016). The layer's bias is what is added afterwards.

    Attributes:
        kind: ``batch`` or ``layer``.
        scale: the gain, (copies, cells).
        mean: running mean of the drive, (copies, cells).
        variance: its running variance, (copies, cells).
    """

    kind: str
    scale: Tensor
    mean: Tensor
    variance: Tensor

    @classmethod
    def begin(cls, kind: str, bias: Tensor) -> "Normalisation":
        """Begin with a gain of 1, for a layer with a bias (copies, cells)."""
        return cls(kind, bias.new_ones(bias.shape), bias.new_zeros(bias.shape), bias.new_ones(bias.shape))

    def __call__(self, drive: Tensor, bias: Tensor, learning: bool) -> Tensor:
        """Normalise W x, (batch, positions, cells); learning takes the statistics of the batch, and follows them."""
        # Positions count through the copies: in each row stand all cells that have weights of their own.
        rows = drive.reshape(-1, bias.numel())
        if self.kind == "layer":
            rows = layer_norm(drive, drive.shape[-1:]).reshape(rows.shape) * self.scale.flatten() + bias.flatten()
        else:
            statistics = self.mean.view(-1), self.variance.view(-1)
            rows = batch_norm(rows, *statistics, self.scale.view(-1), bias.view(-1), learning, RUNNING_RATE)
        return rows.view(drive.shape)

    def state(self) -> dict[str, Tensor]:
        """Name what learning changes."""
        return {"scale": self.scale, "running_mean": self.mean, "running_variance": self.variance}
