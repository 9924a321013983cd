"""Initial weights, from named random streams."""

import math

import torch
from torch import Tensor

from cortexsim.seeds import stream


def normal_weights(
    seed: int, names: tuple[str | int, ...], shape: tuple[int, ...], deviation: float, like: Tensor
) -> Tensor:
    """Draw normally distributed weights from a named stream.

    They are drawn on the CPU and in double precision, so that networks on all devices start from the same weights.

    The same seed and names give the same weights, whatever else was drawn:

    >>> weights = normal_weights(0, ("weights", 1), (2, 3), deviation=0.1, like=torch.empty(0))
    >>> bool((weights == normal_weights(0, ("weights", 1), (2, 3), deviation=0.1, like=torch.empty(0))).all())
    True

    Args:
        seed: root seed.
        names: of the stream.
        shape: of the weights.
        deviation: their standard deviation.
        like: tensor whose type and device they get.

    Returns:
        A tensor of that shape.
    """
    return torch.from_numpy(stream(seed, *names).normal(0, deviation, shape)).to(like.dtype).to(like.device)


def uniform_weights(
    seed: int, names: tuple[str | int, ...], shape: tuple[int, ...], largest: float, like: Tensor
) -> Tensor:
    """Draw uniformly distributed weights, up to ``largest`` of either sign; otherwise as `normal_weights`."""
    return torch.from_numpy(stream(seed, *names).uniform(-largest, largest, shape)).to(like.dtype).to(like.device)


def feedback_weights(seed: int, names: tuple[str | int, ...], shape: tuple[int, ...], like: Tensor) -> Tensor:
    """Draw feedback weights, (groups, cells, components), that preserve the size of the signals that they project."""
    return normal_weights(seed, names, shape, math.sqrt(1 / shape[2]), like)
