"""Behavioural time scale plasticity: a plateau potential moves all synapses that were active within seconds of it.

Bittner, Milstein, Grienberger, Romani, Magee, "Behavioral time scale synaptic plasticity underlies CA1 place fields",
Science 2017. That weak synapses grow and strong ones shrink is Milstein et al., eLife 2021; two traces, a short one for
potentiation and a long one for depression, are those of Cone & Shouval, "Behavioral time scale plasticity of place
fields: mathematical analysis", Frontiers in Computational Neuroscience 2021, with time constants of its code (ModelDB
266868); the rates are choices made here:

    dw/dt = I (k+ p (1 - w) - k- d w)

with p and d traces of the presynaptic cell, and the plateau I a broadcast that decays within .4 s. Repeated, slow
learning ends at w = <I k+ p> / <I k+ p + I k- d>.

A plateau half a second after a presynaptic spike raises a weak synapse and lowers a strong one:

>>> from cortexsim.protocols import Protocol, Pulse, run
>>> plateau = {"plateau": [Pulse(1.0)]}
>>> run(RULE, Protocol([[0.5], [0.5]], [[], []], duration=8.0, weight=[0.1, 0.9], pulses=plateau)).round(4)
array([ 0.0071, -0.0009])
"""

from cortexsim.rules.spike_timing import Neuromodulator, SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="btsp",
    equation="dw/dt = I (k+ p (1 - w) - k- d w)",
    source="Bittner et al. 2017; Milstein et al. 2021; Cone & Shouval 2021",
    feedforward=SpikeTiming(
        always="potentiation * short_pre * (1 - weight) - depression * long_pre * weight",
        third="plateau_all",
        traces={"short": Trace("500 ms", "pre", of="activity"), "long": Trace("1.5 s", "pre", of="activity")},
        modulators={"plateau": Neuromodulator("400 ms")},
        bounds=(0.0, 1.0),
    ),
    constants={"potentiation": 0.02, "depression": 0.005},
)
