"""Burstprop: bursts carry the error down, events carry activity up.

Payeur, Guerguiev, Zenke, Richards, Naud, "Burst-dependent synaptic plasticity can coordinate learning in hierarchical
circuits", Nature Neuroscience 2021. A cell fires events at its rate z; feedback to its apical dendrite sets the
probability p that an event becomes a burst. A synapse grows when there are more bursts than expected:

    dW_ji = eta * (p_j - 1/2) z_j * x_i,    p_j = 1 / (1 + exp(4 (Y (b' - b'_expected))_j rho'(a_j) / z_j))

Y is fixed and random, and b' - b'_expected = -(p' - 1/2) z' is the error of the layer above, at the top that of the
output. The slope of p at rest is 1, so that for small errors the rule is feedback alignment.

An error from above of either sign moves the probability of a burst away from 1/2:

>>> import numpy as np
>>> cell = {"error_post": np.array([-0.5, 0.0, 0.5]), "derivative_post": 1.0, "activity_post": 1.0, "silent": 0.0}
>>> RULE.feedforward.texts()["third"](cell, {"exp": np.exp, "clip": np.clip}).round(2)
array([ 0.38,  0.  , -0.38])
"""

from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

BURSTS = "1 / (1 + exp(clip(4 * error_post * derivative_post / (activity_post + silent), -50, 50))) - 0.5"

RULE = Rule(
    name="burstprop",
    equation="dW = eta * (p - 1/2) * z * x,  p = sigmoid(-4 (Y delta') rho'(a) / z)",
    source="Payeur, Guerguiev, Zenke, Richards, Naud 2021",
    feedforward=ThreeFactor(post="activity_post", third=BURSTS),
    constants={"silent": 1e-6},
    path=ErrorPath("layered", "random"),
)
