"""Voltage-based plasticity: what a synapse reads of the other cell is its voltage, not its spikes.

Clopath, Busing, Vasilaki, Gerstner, "Connectivity reflects coding: a model of voltage-based STDP with homeostasis",
Nature Neuroscience 2010, with u the voltage, u- and u+ filters of it, x the presynaptic trace, and [.] rectified:

    dw = -A_LTD [u- - theta-] at a presynaptic spike,    dw/dt = A_LTP x [u - theta+] [u+ - theta-]

Constants are those for visual cortex; filters are read 3 ms late, so that a spike of the cell does not meet its own
upswing, as in the code of the paper (ModelDB 144566). Without the homeostasis of A_LTD, which acts over minutes.

A presynaptic spike depresses at a steady voltage of -60 mV, and potentiates while the cell spikes at 50 Hz:

>>> import numpy as np
>>> from cortexsim.protocols import Protocol, run
>>> held = np.full(1000, -60.0)  # mV, in steps of 1 ms.
>>> spiking = np.where(np.arange(1000) % 20 < 2, 30.0, held)
>>> protocol = Protocol([[0.5], [0.5]], [[], []], duration=1.0, potential=np.stack([held, spiking], 1))
>>> run(RULE, protocol).round(4)
array([-0.0015,  0.0112])
"""

from cortexsim.rules.spike_timing import SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="clopath",
    equation="dw = -A_LTD [u- - theta-] at a presynaptic spike; dw/dt = A_LTP x [u - theta+] [u+ - theta-]",
    source="Clopath, Busing, Vasilaki, Gerstner 2010",
    feedforward=SpikeTiming(
        at_pre="-depression * clip(slow_post - theta_minus, 0, 1000)",
        always="potentiation * recent_pre * clip(potential_post - theta_plus, 0, 1000)"
        " * clip(fast_post - theta_minus, 0, 1000)",
        traces={
            "recent": Trace("15 ms", "pre", of="activity"),
            "slow": Trace("10 ms", "post", of="voltage", delay="3 ms"),
            "fast": Trace("7 ms", "post", of="voltage", delay="3 ms"),
        },
        bounds=(0.0, 3.0),
    ),
    constants={"depression": 14e-5, "potentiation": 8e-5, "theta_minus": -70.6, "theta_plus": -45.3},
)
