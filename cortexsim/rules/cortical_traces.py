"""Two traces of a cortical synapse: noradrenaline turns one into potentiation, serotonin the other into depression.

He, Huertas, Hong, Tie, Hell, Shouval, Kirkwood, "Distinct eligibility traces for LTP and LTD in cortical synapses",
Neuron 2015. A presynaptic spike before a postsynaptic one leaves a trace p, the reverse order a trace q; both saturate:

    dp/dt = -p / tau_p + rate * early (1 - p) at a postsynaptic spike
    dq/dt = -q / tau_q + rate * late (1 - q) at a presynaptic spike
    dw/dt = NA p - 5HT q

The constants are choices made here, not fits: traces of seconds, of which that of potentiation is the longer one.

Noradrenaline a second after three pairs of pre before post potentiates, and serotonin does next to nothing:

>>> from cortexsim.protocols import Protocol, Pulse, run
>>> for amine in ("noradrenaline", "serotonin"):
...     pulses = {amine: [Pulse(1.3)]}
...     print(amine, run(RULE, Protocol([[0.1, 0.2, 0.3]], [[0.11, 0.21, 0.31]], 20.0, pulses=pulses)).round(3) + 0)
noradrenaline [0.011]
serotonin [0.]
"""

from cortexsim.rules.spike_timing import Neuromodulator, SpikeTiming, Term, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="cortical_traces",
    equation="dw/dt = NA p - 5HT q,  p of pre before post, q of post before pre",
    source="He, Huertas, Hong, Tie, Hell, Shouval, Kirkwood 2015",
    feedforward=SpikeTiming(
        at_post="rate * early_pre * (1 - eligibility)",
        third="speed * noradrenaline_all",
        tau_eligibility="5 s",
        traces={"early": Trace("20 ms", "pre"), "late": Trace("20 ms", "post")},
        modulators={"noradrenaline": Neuromodulator("1 s"), "serotonin": Neuromodulator("1 s")},
        also=(Term("rate * late_post * (1 - eligibility)", third="-speed * serotonin_all", tau_eligibility="2.5 s"),),
    ),
    constants={"rate": 0.2, "speed": 0.05},
)
