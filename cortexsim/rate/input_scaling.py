"""Scaling of the input of a layer, before its weights."""

from dataclasses import dataclass

from torch import Tensor
from torch.nn.functional import rms_norm

GAIN_RATE = 0.01  # Per batch: how fast the input gain adapts to the activity below.


@dataclass
class InputScaling:
    """Scale the input of a layer to a root mean square.

    ``"synaptic"`` scales by one adaptive gain of the layer, as homeostatic synaptic scaling does (Turrigiano 2008);
    ``"sample"`` scales each column's input in each sample by itself.

    >>> import torch
    >>> scaling = InputScaling(rms=0.5, kind="synaptic", square=torch.zeros(()))
    >>> scaling(torch.full((1, 1, 4), 2.0), learning=True)  # The first batch sets the gain.
    tensor([[[0.5000, 0.5000, 0.5000, 0.5000]]])
    >>> scaling(torch.full((1, 1, 4), 4.0), learning=False)
    tensor([[[1., 1., 1., 1.]]])

    Attributes:
        rms: root mean square to which the input is scaled; None for no scaling.
        kind: ``"synaptic"`` or ``"sample"``.
        square: running mean square of the input, ().
        has_input: whether there has been any input while learning; before, synaptic scaling leaves it as it is.
    """

    rms: float | None
    kind: str
    square: Tensor
    has_input: bool = False

    @property
    def gain(self) -> Tensor | float:
        """Factor by which synaptic scaling multiplies the input: a tensor of shape (), or 1."""
        return self.rms * self.square.rsqrt() if self.rms is not None and self.has_input else 1.0

    def __call__(self, patches: Tensor, learning: bool) -> Tensor:
        """Scale the contents of receptive fields, (batch, positions, pre).

        Args:
            patches: as `Layer.gather` returns them.
            learning: whether the gain adapts.

        Returns:
            (batch, positions, pre).
        """
        if self.rms is None:
            return patches
        if self.kind == "sample":
            return self.rms * rms_norm(patches, patches.shape[-1:])
        if learning:
            self._adapt(patches)
        return patches * self.gain

    def _adapt(self, patches: Tensor) -> None:
        """Move the mean square towards that of a batch; the first sets it."""
        square = patches.detach().square().mean()
        if self.has_input:
            self.square.lerp_(square, GAIN_RATE)
        else:
            self.square.copy_(square)
            self.has_input = bool(square > 0)  # With silence as input there is nothing to scale yet.
