"""Synaptic scaling: all synapses of a cell grow or shrink by one factor, which brings its rate back.

Turrigiano, Leslie, Desai, Rutherford, Nelson, "Activity-dependent scaling of quantal amplitude in neocortical neurons",
Nature 1998. As a rule it is the multiplicative form of van Rossum, Bi, Turrigiano, J. Neuroscience 2000,

    dw/dt = rate * w * (target - <z>)

with <z> a slow mean of the cell's own rate, in Hz. The constants are choices made here, faster than days.

All weights of a silent cell grow by one factor, whatever they are, and those of a cell at 20 Hz shrink:

>>> import numpy as np
>>> from cortexsim.protocols import Protocol, run
>>> spikes, weights = [[], [], np.arange(0, 10, 0.05)], np.array([1.0, 2.0, 1.0])
>>> (run(RULE, Protocol([[], [], []], spikes, duration=10.0, weight=weights)) / weights).round(3)
array([ 0.051,  0.051, -0.024])
"""

from cortexsim.rules.spike_timing import SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="scaling",
    equation="dw/dt = rate * w * (target - <z>)",
    source="Turrigiano et al. 1998; van Rossum, Bi, Turrigiano 2000",
    feedforward=SpikeTiming(
        always="rate * weight * (target - slow_post)",
        traces={"slow": Trace("10 s", "post", of="activity")},
        bounds=(0.0, float("inf")),
    ),
    constants={"rate": 1e-3, "target": 5.0},
)
