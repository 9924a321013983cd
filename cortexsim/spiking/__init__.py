"""Layers in Brian2: spiking cells and rate cells, and plasticity from a rule's text."""

from cortexsim.spiking.compiling import compiler_path
from cortexsim.spiking.constraints import admitted
from cortexsim.spiking.inhibition import inhibitory_cells
from cortexsim.spiking.network import describe
from cortexsim.spiking.parts import Plan
from cortexsim.spiking.plasticity import Translation
from cortexsim.spiking.settings import Control, Settings, Timing
from cortexsim.spiking.stack import Outcome, Stack, State, Stream

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
    "admitted",
    "compiler_path",
    "describe",
    "inhibitory_cells",
]
