"""Transfer functions: from the drive of a rate cell to its activity.

>>> drive = torch.tensor([-1.0, 0.0, 1.0, 3.0])
>>> TRANSFERS["saturating"].rate(drive).tolist()
[0.0, 0.0, 0.5, 0.75]
>>> TRANSFERS["saturating"].derivative(drive).tolist()
[0.0, 0.0, 0.25, 0.0625]
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor


@dataclass(frozen=True)
class Transfer:
    """A transfer function rho(a) and its derivative rho'(a).

    Attributes:
        rate: activity as a function of the drive, elementwise, for a tensor of any shape.
        derivative: of the same.
    """

    rate: Callable[[Tensor], Tensor]
    derivative: Callable[[Tensor], Tensor]


def _saturating(drive: Tensor) -> Tensor:
    positive = torch.relu(drive)
    return positive / (1 + positive)


def _bounded(drive: Tensor) -> Tensor:
    return drive.clamp(-1, 50)


# A new transfer function is an entry here, and its name in `cortexsim.rate.network.TransferName`.
TRANSFERS = {
    # A comparison would give booleans, whose conversion to numbers takes torch longer than a matrix product.
    "relu": Transfer(torch.relu, lambda drive: torch.sign(torch.relu(drive))),
    # Naka & Rushton 1966 with exponent 1: half its maximum of 1 at a drive of 1.
    "saturating": Transfer(_saturating, lambda drive: (drive > 0) / (1 + torch.relu(drive)).square()),
    "linear": Transfer(lambda drive: drive, torch.ones_like),
    # Law & Cooper 1994: a rate relative to the spontaneous one falls less far than it rises.
    "bounded": Transfer(_bounded, lambda drive: ((drive > -1) & (drive < 50)).to(drive)),
}
"""Transfer functions by the names that models use."""
