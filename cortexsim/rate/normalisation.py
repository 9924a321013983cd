"""Normalisation of a layer's drive, after its weights and before its transfer function; torch's own."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import batch_norm, layer_norm

RUNNING_RATE = 0.1  # Per batch: how fast the statistics for evaluation follow, torch's default.


@dataclass
class Normalisation:
    """Bring the drive of every cell to mean 0 and variance 1, times a gain and plus a shift that are learned.

    ``batch`` takes the statistics of each cell over the batch and over all columns that share its weights, and their
    running means in evaluation (Ioffe & Szegedy 2015); ``layer`` those of each column over its cells (Ba, Kiros &
    Hinton 2016).

    Attributes:
        kind: ``batch`` or ``layer``.
        shift: (copies, cells), the bias of the cells.
        scale: the gain, (copies, cells).
        mean: running mean of the drive, (copies, cells).
        variance: its running variance, (copies, cells).
        of: what its tensors have before their names in a state.
    """

    kind: str
    shift: Tensor
    scale: Tensor
    mean: Tensor
    variance: Tensor
    of: str = ""

    @classmethod
    def begin(cls, kind: str, bias: Tensor, of: str = "") -> "Normalisation":
        """Begin with a gain of 1, for cells with a bias (copies, cells)."""
        return cls(kind, bias, torch.ones_like(bias), torch.zeros_like(bias), torch.ones_like(bias), of)

    def __call__(self, drive: Tensor, learning: bool) -> Tensor:
        """Normalise W x, (batch, positions, cells); learning takes the statistics of the batch, and follows them."""
        # Positions count through the copies: in each row stand all cells that have weights of their own.
        rows, scale, shift = drive.reshape(-1, self.scale.numel()), self.scale.view(-1), self.shift.view(-1)
        if self.kind == "layer":
            rows = layer_norm(drive, drive.shape[-1:]).reshape(rows.shape) * scale + shift
        else:
            rows = batch_norm(rows, self.mean.view(-1), self.variance.view(-1), scale, shift, learning, RUNNING_RATE)
        return rows.view(drive.shape)

    def state(self) -> dict[str, Tensor]:
        """Name what learning changes, but for the layer's own bias."""
        named = {"scale": self.scale, "running_mean": self.mean, "running_variance": self.variance}
        named |= {"bias": self.shift} if self.of else {}
        return {f"{self.of}{name}": tensor for name, tensor in named.items()}
