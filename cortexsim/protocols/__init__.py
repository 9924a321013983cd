"""Plasticity experiments on single synapses: spike times, voltages and pulses of modulators in, changes of weight out.

There are neither layers nor a task. The same rule text is run by two engines: `numpy`, from event to event, in which
traces decay exactly; and `brian2`, on a grid of time.
"""

from cortexsim.protocols.cells import Response, respond
from cortexsim.protocols.protocol import Protocol, Pulse
from cortexsim.protocols.rates import mean_change
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import pairs, poisson, repeated

__all__ = ["Protocol", "Pulse", "Response", "mean_change", "pairs", "poisson", "repeated", "respond", "run"]
