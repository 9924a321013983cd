"""Kolen-Pollack: feedback weights that converge to the forward weights, by learning the same way.

Kolen, Pollack, "Backpropagation without weight transport", ICNN 1994; Akrout, Wilson, Humphreys, Lillicrap, Tweed,
"Deep learning without weight transport", NeurIPS 2019. Forward and feedback synapses between the same two cells change
by the same product, and both decay, so that their difference vanishes:

    dW'_kj = -eta * (delta'_k z_j + lambda W'_kj)
    dB_jk  = -eta * (z_j delta'_k + lambda B_jk)

lambda is the model's `weight_decay`, which applies to both; `feedback_eta` must stay 1.

What it needs beyond the two cells of a synapse, and how its feedback weights learn:

>>> RULE.needs
['output error', 'plastic feedback synapses']
>>> RULE.feedback
ThreeFactor(post='activity_post', third='-1', pre='activity_pre', decay='0')
"""

from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="kolen_pollack",
    equation="dW = -eta * (B delta') * rho'(a) * x,  dB = -eta * z * delta'",
    source="Kolen, Pollack 1994; Akrout et al. 2019",
    feedforward=ThreeFactor(post="derivative_post", third="-error_post"),
    feedback=ThreeFactor(post="activity_post", third="-1"),
    path=ErrorPath("layered", "random"),
)
