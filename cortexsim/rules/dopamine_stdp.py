"""Dopamine-modulated STDP: a reward seconds later reaches the synapses that brought it about.

Izhikevich, "Solving the distal reward problem through linkage of STDP and dopamine signaling", Cerebral Cortex 2007;
constants as in its published code (ModelDB 84167):

    dc/dt = -c / tau_c + STDP(dt) at spikes,    dd/dt = -d / tau_d + dopamine,    dw/dt = d c

Without dopamine a pair of spikes changes nothing; dopamine a second later still finds its trace:

>>> from cortexsim.protocols import Protocol, Pulse, run
>>> run(RULE, Protocol([[0.1]], [[0.11]], duration=10.0)).round(4)
array([0.])
>>> run(RULE, Protocol([[0.1]], [[0.11]], duration=10.0, pulses={"dopamine": [Pulse(1.1)]})).round(4)
array([0.0188])
"""

from cortexsim.rules.spike_timing import Neuromodulator, SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="dopamine_stdp",
    equation="dw/dt = d c,  dc/dt = -c / tau_c + STDP,  dd/dt = -d / tau_d + dopamine",
    source="Izhikevich 2007",
    feedforward=SpikeTiming(
        at_pre="-depression * late_post",
        at_post="potentiation * early_pre",
        third="dopamine_all",
        tau_eligibility="1 s",
        traces={"early": Trace("20 ms", "pre"), "late": Trace("20 ms", "post")},
        modulators={"dopamine": Neuromodulator("200 ms")},
        bounds=(0.0, 4.0),
    ),
    constants={"potentiation": 0.1, "depression": 0.15},
)
