"""Weight mirror: feedback weights that measure the forward weights with noise.

Akrout, Wilson, Humphreys, Lillicrap, Tweed, "Deep learning without weight transport", NeurIPS 2019. Between samples a
layer is driven to noise xi of zero mean and unit variance, to which the layer above responds with y = rho(W' xi). The
feedback synapse correlates the two and decays at the same rate, so that its norm is that of the forward weights:

    dB_jk = eta * (2 xi_j y_k - B_jk)

For rectified cells E[xi y^T] = W'^T / 2, hence the 2.

What it needs beyond the two cells of a synapse, and how its feedback weights learn:

>>> RULE.needs
['output error', 'noise between samples', 'plastic feedback synapses']
>>> RULE.feedback
ThreeFactor(post='noise_post', third='2', pre='activity_pre', decay='1')
"""

from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="weight_mirror",
    equation="dW = -eta * (B delta') * rho'(a) * x,  dB = eta * (2 xi * y - B)",
    source="Akrout et al. 2019",
    feedforward=ThreeFactor(post="derivative_post", third="-error_post"),
    feedback=ThreeFactor(post="noise_post", third="2", decay="1"),
    path=ErrorPath("layered", "random"),
)
