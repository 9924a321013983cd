"""Sequential neuromodulation: acetylcholine depresses active synapses, and dopamine afterwards potentiates them.

Brzosko, Zannone, Schultz, Clopath, Paulsen, "Sequential neuromodulation of Hebbian plasticity offers mechanism for
effective reward-based navigation", eLife 2017; constants as in its published code (ModelDB 233396). Pairs of spikes in
either order leave the same eligibility, whose sign the broadcasts give:

    de/dt = -e / tau_e + exp(-|dt| / tau) at spikes,    dw/dt = (eta_DA DA - eta_ACh ACh) e

Acetylcholine during a pair of spikes depresses, and dopamine after it potentiates, whichever cell comes first:

>>> from cortexsim.protocols import Protocol, Pulse, run
>>> acetylcholine = {"acetylcholine": [Pulse(0.0, duration=1.0)]}
>>> run(RULE, Protocol([[0.1], [0.11]], [[0.11], [0.1]], duration=10.0, pulses=acetylcholine)).round(4)
array([-0.0005, -0.0005])
>>> run(RULE, Protocol([[0.1], [0.11]], [[0.11], [0.1]], duration=10.0, pulses={"dopamine": [Pulse(1.0)]})).round(4)
array([0.0024, 0.0024])
"""

from cortexsim.rules.spike_timing import Neuromodulator, SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="sequential_neuromodulation",
    equation="dw/dt = (eta_DA DA - eta_ACh ACh) e,  de/dt = -e / tau_e + exp(-|dt| / tau)",
    source="Brzosko, Zannone, Schultz, Clopath, Paulsen 2017",
    feedforward=SpikeTiming(
        at_pre="late_post",
        at_post="early_pre",
        third="eta_dopamine * dopamine_all - eta_acetylcholine * acetylcholine_all",
        tau_eligibility="2 s",
        traces={"early": Trace("10 ms", "pre"), "late": Trace("10 ms", "post")},
        modulators={"dopamine": Neuromodulator(), "acetylcholine": Neuromodulator()},
    ),
    constants={"eta_dopamine": 0.01, "eta_acetylcholine": 0.002},
)
