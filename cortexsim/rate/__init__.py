"""Rate layers in torch: networks of columns, and the plasticity that rules define on them."""

from cortexsim.rate.architecture import Architecture, Synapses
from cortexsim.rate.context_synapses import gather_other_tops
from cortexsim.rate.feedback_pathway import FeedbackPathway
from cortexsim.rate.layer import Layer, Response
from cortexsim.rate.mixtures import mix_fixations
from cortexsim.rate.network import Network, choose_device, to_tensor
from cortexsim.rate.optimizer import Optimization, Optimizer
from cortexsim.rate.pairs import exchanged, side_by_side
from cortexsim.rate.plasticity import Plasticity
from cortexsim.rate.predictive_coding import clamp_output, settle
from cortexsim.rate.projection import Projection
from cortexsim.rate.rule_variables import FeedbackSignal
from cortexsim.rate.synapse_ends import SynapseEnds, synapse_ends, weights_of_layers
from cortexsim.rate.transfer import TRANSFERS
from cortexsim.rate.vector import VectorNetwork

__all__ = [
    "TRANSFERS",
    "Architecture",
    "FeedbackPathway",
    "FeedbackSignal",
    "Layer",
    "Network",
    "Optimization",
    "Optimizer",
    "Plasticity",
    "Projection",
    "Response",
    "SynapseEnds",
    "Synapses",
    "VectorNetwork",
    "choose_device",
    "clamp_output",
    "exchanged",
    "gather_other_tops",
    "mix_fixations",
    "settle",
    "side_by_side",
    "synapse_ends",
    "to_tensor",
    "weights_of_layers",
]
