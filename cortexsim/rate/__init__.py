"""Rate layers in torch: networks of columns, and plasticity from a rule's text."""

from cortexsim.rate.layer import Layer
from cortexsim.rate.network import Architecture, Network, device, to_tensor
from cortexsim.rate.optimizer import Optimization, Optimizer
from cortexsim.rate.plasticity import Plasticity
from cortexsim.rate.projection import Projection
from cortexsim.rate.transfer import TRANSFERS

__all__ = [
    "TRANSFERS",
    "Architecture",
    "Layer",
    "Network",
    "Optimization",
    "Optimizer",
    "Plasticity",
    "Projection",
    "device",
    "to_tensor",
]
