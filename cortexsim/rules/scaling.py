"""Synaptic scaling: all synapses of a cell grow or shrink by one factor, which brings its rate back.

Turrigiano, Leslie, Desai, Rutherford, Nelson, "Activity-dependent scaling of quantal amplitude in neocortical neurons",
Nature 1998. As a rule it is the multiplicative form of van Rossum, Bi, Turrigiano, J. Neuroscience 2000,

    dw/dt = rate * w * (target - <z>)

with <z> a slow mean of the cell's own rate, in Hz. The constants are choices made here, faster than days.
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
