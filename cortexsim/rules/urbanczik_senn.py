"""Dendritic prediction of somatic spiking: a dendrite learns to predict what the soma does when others drive it too.

Urbanczik & Senn, "Learning by the dendritic prediction of somatic spiking", Neuron 2014, with S the spikes of the cell,
V* the potential that the dendrite alone would give the soma, phi the rate of spikes at a potential, h = 15 (log phi)',
and PSP the postsynaptic potential of the synapse:

    dw/dt = eta (S - phi(V*)) h(V*) PSP

The paper filters this with 100 ms, which changes when weights change but not by how much. Potentials are in mV, as in
NEST's version of its figure 1; the weight is the height in mV of exp(-t / 10 ms) - exp(-t / 3 ms); eta is chosen here.

A synapse grows where the cell spikes although its dendrite predicts silence, and shrinks where it is silent although
the dendrite predicts spikes:

>>> import numpy as np
>>> from cortexsim.protocols import Protocol, run
>>> dendrites = np.tile([-70.0, -55.0], (100, 1))  # mV, in steps of 1 ms.
>>> protocol = Protocol([[0.02], [0.02]], [[0.03], []], duration=0.1, potential=dendrites, dendrite=dendrites)
>>> run(RULE, protocol).round(3)
array([ 0.157, -0.117])
"""

from cortexsim.rules.spike_timing import SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

GAIN = "5 / (1 + 2 * exp((dendrite_post - theta) / width))"
RATE = "peak / (1 + 0.5 * exp((theta - dendrite_post) / width))"

RULE = Rule(
    name="urbanczik_senn",
    equation="dw/dt = eta (S - phi(V*)) h(V*) PSP",
    source="Urbanczik & Senn 2014",
    feedforward=SpikeTiming(
        at_post=f"eta * {GAIN} * (slow_pre - fast_pre)",
        always=f"-eta * {RATE} * {GAIN} * (slow_pre - fast_pre)",
        traces={"slow": Trace("10 ms", "pre"), "fast": Trace("3 ms", "pre")},
    ),
    constants={"eta": 0.1, "peak": 150.0, "theta": -55.0, "width": 3.0},
)
