"""Normalisation of the drive of a layer, between its weights and its transfer function."""

from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn.functional import batch_norm, layer_norm

RUNNING_RATE = 0.1  # Per batch, of the statistics used in evaluation; torch's default.


@dataclass
class Normalisation:
    """Normalise the drive of every cell to mean 0 and variance 1, followed by a learned gain and shift.

    ``"batch"`` takes the statistics of each cell over the batch and over all columns that share its weights, and in
    evaluation their running averages (Ioffe & Szegedy 2015); ``"layer"`` takes those of each column over its cells (Ba,
    Kiros & Hinton 2016).

    >>> over_cells = Normalisation.identity("layer", bias=torch.zeros(1, 3))
    >>> [round(value, 2) for value in over_cells(torch.tensor([[[1.0, 2.0, 3.0]]]), learning=False).flatten().tolist()]
    [-1.22, 0.0, 1.22]

    Attributes:
        kind: ``"batch"`` or ``"layer"``.
        shift: bias of the cells, (groups, cells).
        scale: gain, (groups, cells).
        mean: running mean of the drive, (groups, cells).
        variance: running variance of the drive, (groups, cells).
        prefix: of the names of its tensors in a state. Without one, the shift is the bias of the layer, and stored as
            such.
    """

    kind: str
    shift: Tensor
    scale: Tensor
    mean: Tensor
    variance: Tensor
    prefix: str = ""

    @classmethod
    def identity(cls, kind: str, bias: Tensor, prefix: str = "") -> "Normalisation":
        """Create a normalisation with a gain of 1, whose shift is ``bias``, (groups, cells)."""
        return cls(kind, bias, torch.ones_like(bias), torch.zeros_like(bias), torch.ones_like(bias), prefix)

    def __call__(self, drive: Tensor, learning: bool) -> Tensor:
        """Normalise a drive, (batch, positions, cells).

        Args:
            drive: W x, without bias.
            learning: whether ``"batch"`` uses, and updates its running averages with, the statistics of the batch.

        Returns:
            (batch, positions, cells).
        """
        # Consecutive positions run through the groups, so that one row holds all cells with weights of their own.
        rows, scale, shift = drive.reshape(-1, self.scale.numel()), self.scale.view(-1), self.shift.view(-1)
        if self.kind == "layer":
            rows = layer_norm(drive, drive.shape[-1:]).reshape(rows.shape) * scale + shift
        else:
            rows = batch_norm(rows, self.mean.view(-1), self.variance.view(-1), scale, shift, learning, RUNNING_RATE)
        return rows.view(drive.shape)

    def state(self) -> dict[str, Tensor]:
        """Return its tensors, (groups, cells), not copies, by name; without a shift that is the bias of the layer."""
        named = {"scale": self.scale, "running_mean": self.mean, "running_variance": self.variance}
        named |= {"bias": self.shift} if self.prefix else {}
        return {f"{self.prefix}{name}": tensor for name, tensor in named.items()}
