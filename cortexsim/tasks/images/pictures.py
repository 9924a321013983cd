"""Samples that are pictures, stored as bytes, with random views of them by the transforms of torchvision.

Views are those of Chen, Kornblith, Norouzi, Hinton, "A simple framework for contrastive learning of visual
representations", ICML 2020: a crop that is resized, a flip, colours that jitter, grey and blur.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from cortexsim.tasks.images.library import torchvision

JITTER, HUE, JITTERED = 0.8, 0.2, 0.8  # Of brightness, contrast and saturation; of the hue; share of views.
GREY, BLURRED, SIGMA, KERNEL = 0.2, 0.5, (0.1, 2.0), 0.1  # Shares of views; width in pixels; kernel in widths.

Pixels = NDArray[np.uint8]


@dataclass(frozen=True)
class Scale:
    """How bytes become inputs: (value / 255 - centre) / spread, with a value for every channel.

    >>> Scale.of("range", np.zeros((1, 2, 2, 3), np.uint8))
    Scale(centre=(0.0, 0.0, 0.0), spread=(1.0, 1.0, 1.0))
    """

    centre: tuple[float, ...]
    spread: tuple[float, ...]

    @classmethod
    def of(cls, scaling: str, pixels: Pixels) -> "Scale":
        """Choose the scale.

        Args:
            scaling: ``"range"``, to 0..1, or ``"standard"``, to mean 0 and standard deviation 1 of every channel.
            pixels: (samples, rows, columns, channels), whose statistics are meant.
        """
        channels = pixels.shape[3]
        if scaling == "range":
            return cls((0.0,) * channels, (1.0,) * channels)
        counts = [np.bincount(pixels[..., k].ravel(), minlength=256) for k in range(channels)]
        values = np.arange(256) / 255
        means = [float(np.average(values, weights=count)) for count in counts]
        squares = [
            float(np.average((values - mean) ** 2, weights=count)) for mean, count in zip(means, counts, strict=True)
        ]
        return cls(tuple(means), tuple(square**0.5 or 1.0 for square in squares))

    def __call__(self, pixels: Pixels) -> NDArray[np.float32]:
        """Scale pixels, (samples, rows, columns, channels), to inputs, (samples, positions, channels)."""
        flat = pixels.reshape(len(pixels), -1, pixels.shape[3]).astype(np.float32) / 255
        centre, spread = (np.array(values, dtype=np.float32) for values in (self.centre, self.spread))
        return ((flat - centre) / spread).astype(np.float32, copy=False)


@dataclass(frozen=True)
class Pictures:
    """Pictures with labels, and random views of them.

    Attributes:
        pixels: (samples, rows, columns, channels).
        labels: (samples,), from 0; -1 for unlabelled samples.
        scale: of the inputs.
        smallest_crop: smallest share of a picture that a view shows.
    """

    latents: ClassVar[tuple[NDArray[np.integer], ...]] = ()
    exchangeable: ClassVar[bool] = False

    pixels: Pixels
    labels: NDArray[np.int64]
    scale: Scale
    smallest_crop: float

    def __len__(self) -> int:
        return len(self.labels)

    def __getitem__(self, chosen: slice | NDArray[np.integer] | NDArray[np.bool_]) -> "Pictures":
        return replace(self, pixels=self.pixels[chosen], labels=self.labels[chosen])

    @property
    def inputs(self) -> NDArray[np.float32]:
        """Input values, (samples, positions, channels), computed at every call: as bytes they take a quarter."""
        return self.scale(self.pixels)

    def second_view(self, layer: int, generator: np.random.Generator) -> "Pictures":
        """Draw a random view of every picture.

        Args:
            layer: number of the layer; has no effect.
            generator: source of randomness.

        Raises:
            UserError: if torchvision is not installed.
        """
        torchvision()
        import torch

        views = np.empty_like(self.pixels)
        with torch.random.fork_rng(devices=[]):  # torchvision draws from torch's global generator.
            for view, picture, seed in zip(
                views, self.pixels, generator.integers(2**63, size=len(self)).tolist(), strict=True
            ):
                torch.manual_seed(seed)
                shown = self._transform(torch.from_numpy(picture.transpose(2, 0, 1).copy()))
                view[:] = shown.numpy().transpose(1, 2, 0)
        return replace(self, pixels=views)

    @cached_property
    def _transform(self) -> Callable[[Any], Any]:
        """Build the random transform of one picture, a tensor of bytes, (channels, rows, columns)."""
        v2 = torchvision().transforms.v2
        rows, columns, channels = self.pixels.shape[1:]
        kernel = int(KERNEL * min(rows, columns)) // 2 * 2 + 1
        steps = [
            v2.RandomResizedCrop((rows, columns), scale=(self.smallest_crop, 1.0), antialias=True),
            v2.RandomHorizontalFlip(),
        ]
        if channels == 3:
            steps += [v2.RandomApply([v2.ColorJitter(JITTER, JITTER, JITTER, HUE)], JITTERED), v2.RandomGrayscale(GREY)]
        return v2.Compose([*steps, v2.RandomApply([v2.GaussianBlur(kernel, SIGMA)], BLURRED)])
