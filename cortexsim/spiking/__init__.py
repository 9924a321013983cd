"""Layers in Brian2: spiking cells and rate cells, and plasticity from a rule's text."""

from cortexsim.spiking.assembly import Plan
from cortexsim.spiking.compiling import compiler_path
from cortexsim.spiking.constraints import constrained_weights
from cortexsim.spiking.inhibition import inhibitory_cells
from cortexsim.spiking.network import describe
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Control, Settings, Timing
from cortexsim.spiking.simulation import Outcome, Stack, State, Stream

__all__ = [
    "Control",
    "Outcome",
    "Plan",
    "Settings",
    "Stack",
    "State",
    "Stream",
    "Timing",
    "Translation",
    "compiler_path",
    "constrained_weights",
    "describe",
    "inhibitory_cells",
]
