"""Rate layers in torch: networks of columns, and plasticity from a rule's text."""

from cortexsim.rate.descent import Descent
from cortexsim.rate.hearing import other_tops
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.mixtures import mixed
from cortexsim.rate.network import Architecture, Network, device, to_tensor
from cortexsim.rate.optimizer import Optimization, Optimizer
from cortexsim.rate.plasticity import Plasticity
from cortexsim.rate.projection import Projection
from cortexsim.rate.relaxation import held_at, settle
from cortexsim.rate.signals import Lesson
from cortexsim.rate.transfer import TRANSFERS
from cortexsim.rate.vector import VectorNetwork

__all__ = [
    "TRANSFERS",
    "Architecture",
    "Descent",
    "Layer",
    "Lesson",
    "Network",
    "Optimization",
    "Optimizer",
    "Plasticity",
    "Projection",
    "Response",
    "VectorNetwork",
    "device",
    "held_at",
    "mixed",
    "other_tops",
    "settle",
    "to_tensor",
]
