"""Plasticity experiments on single synapses: spike times, voltages and pulses of modulators in, changes of weight out.

There are neither layers nor a task. The same rule text is run by two engines: `numpy`, from event to event, in which
traces decay exactly; and `brian2`, on a grid of time.

Triplet STDP potentiates pairs of spikes at 50 Hz, and not at 1 Hz:

>>> from cortexsim.rules import load_rule
>>> [run(load_rule("stdp_triplet"), pairs(delta=0.01, rate=rate)).round(2).item() for rate in (1.0, 50.0)]
[0.0, 0.76]
"""

from cortexsim.protocols.cells import Response, respond
from cortexsim.protocols.protocol import Protocol, Pulse
from cortexsim.protocols.rates import mean_change
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import pairs, poisson, repeated

__all__ = ["Protocol", "Pulse", "Response", "mean_change", "pairs", "poisson", "repeated", "respond", "run"]
