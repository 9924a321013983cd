"""Pair STDP: a synapse whose spike comes before that of the cell is potentiated, one whose spike comes after depressed.

Bi & Poo, "Synaptic modifications in cultured hippocampal neurons: dependence on spike timing, synaptic strength, and
postsynaptic cell type", J. Neuroscience 1998:

    dw = A+ exp(-dt / tau+) if dt > 0,    dw = -A- exp(dt / tau-) if dt < 0,    dt = t_post - t_pre

Weights are in units of the weight before. The time constants are those of Pfister & Gerstner 2006; the amplitudes, for
60 pairs, are a choice within one standard error of a fit to the measured points (card `pair_window`).

The window of 60 pairs:

>>> from cortexsim.protocols import pairs, run
>>> intervals = -0.04, -0.01, 0.01, 0.04  # t_post - t_pre, s.
>>> [run(RULE, pairs(delta, rate=1.0)).round(2).item() for delta in intervals]
[-0.08, -0.2, 0.43, 0.07]
"""

from cortexsim.rules.spike_timing import SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="stdp_pair",
    equation="dw = A+ exp(-dt / tau+) if dt > 0; -A- exp(dt / tau-) if dt < 0",
    source="Bi & Poo 1998",
    feedforward=SpikeTiming(
        at_pre="-depression * late_post",
        at_post="potentiation * early_pre",
        traces={"early": Trace("16.8 ms", "pre"), "late": Trace("33.7 ms", "post")},
    ),
    constants={"potentiation": 0.777 / 60, "depression": 0.273 / 60},
)
