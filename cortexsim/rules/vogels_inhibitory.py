"""Inhibitory STDP: inhibition grows until the cell fires at its target rate.

Vogels, Sprekeler, Zenke, Clopath, Gerstner, "Inhibitory plasticity balances excitation and inhibition in sensory
pathways and memory networks", Science 2011:

    at a presynaptic spike    dw = eta (x_post - alpha),    alpha = 2 rho_0 tau
    at a postsynaptic spike   dw = eta x_pre

Where spikes are Poisson the mean change is eta rho_pre (2 tau rho_post - alpha), zero at rho_post = rho_0, here 3 Hz.

Inhibition onto a cell above 3 Hz grows, and onto one below shrinks:

>>> import numpy as np
>>> from cortexsim.protocols import mean_change
>>> from cortexsim.rules import load_rule
>>> mean_change(load_rule("vogels_inhibitory"), 10.0, np.array([1.0, 3.0, 9.0])).round(4)
array([-0.008,  0.   ,  0.024])
"""

from cortexsim.rules.spike_timing import SpikeTiming, Trace
from cortexsim.rules.three_factor import Rule

RULE = Rule(
    name="vogels_inhibitory",
    equation="dw = eta (x_post - alpha) at a presynaptic spike, eta x_pre at a postsynaptic one",
    source="Vogels, Sprekeler, Zenke, Clopath, Gerstner 2011",
    feedforward=SpikeTiming(
        at_pre="eta * (late_post - alpha)",
        at_post="eta * early_pre",
        traces={"early": Trace("20 ms", "pre"), "late": Trace("20 ms", "post")},
        bounds=(0.0, float("inf")),
    ),
    constants={"eta": 0.01, "alpha": 2 * 3.0 * 0.02},
)
