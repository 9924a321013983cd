"""Layers in Brian2: spiking cells and rate cells, and plasticity from a rule's text.

>>> timing = Timing(dt=1e-3, fixation=100e-3, blank=20e-3)  # s
>>> settings = Settings(timing=timing, tau_eligibility=40e-3)
>>> settings.timing.period
0.12
"""

from cortexsim.spiking.assembly import NEXT, LayerSpec, Wiring
from cortexsim.spiking.compiling import compiler
from cortexsim.spiking.constraints import constrained_weights
from cortexsim.spiking.inhibition import inhibitory_cells, inhibitory_input
from cortexsim.spiking.label_population import CLASSES
from cortexsim.spiking.network import describe
from cortexsim.spiking.network_spec import INPUT, Variable
from cortexsim.spiking.relay import relayed_weights
from cortexsim.spiking.rule_translation import Translation
from cortexsim.spiking.settings import Control, Settings, Timing
from cortexsim.spiking.simulation import Outcome, Stack, State, Stream

__all__ = [
    "CLASSES",
    "INPUT",
    "NEXT",
    "Control",
    "LayerSpec",
    "Outcome",
    "Settings",
    "Stack",
    "State",
    "Stream",
    "Timing",
    "Translation",
    "Variable",
    "Wiring",
    "compiler",
    "constrained_weights",
    "describe",
    "inhibitory_cells",
    "inhibitory_input",
    "relayed_weights",
]
