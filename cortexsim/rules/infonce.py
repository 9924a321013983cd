"""InfoNCE: contrastive predictive coding, layer by layer.

van den Oord, Li, Vinyals, "Representation learning with contrastive predictive coding", 2018; applied greedily by Lowe,
O'Connor, Veeling, "Putting an end to end-to-end", NeurIPS 2019. With the context c_0 of the same object and those after
n saccades, c_1 ... c_n, the loss of a column is

    loss = -log p_0,    p_k = exp(u_k) / sum_m exp(u_m),    u_k = z^T B c_k

and its negative gradient, contexts taken as given, weights each context by its prediction error:

    dW_ji = eta * sum_k (1[k = 0] - p_k) (B c_k)_j rho'(a_j) * x_i
    dB_jl = eta * sum_k (1[k = 0] - p_k) * z_j * (c_k)_l

What it needs beyond the two cells of a synapse; spiking layers have all of it:

>>> RULE.needs
['a context', 'misjudged, one per column']
>>> RULE.missing_on("spiking")
[]
"""

from cortexsim.modulators import Modulator
from cortexsim.rules.three_factor import Rule, ThreeFactor

MISJUDGED = Modulator(
    "misjudged",
    scope="column",
    score="activity_post * dendrite_post",
    value="(1 + contrast_all) / 2 - share_all",
)

RULE = Rule(
    name="infonce",
    equation="dW = eta * sum_k (1[k = 0] - p_k) * (B c_k) rho'(a) * x,  p = softmax(z^T B c)",
    source="van den Oord, Li, Vinyals 2018; Lowe, O'Connor, Veeling 2019",
    feedforward=ThreeFactor(post="derivative_post", third="misjudged_all * dendrite_post"),
    context=ThreeFactor(post="activity_post", third="misjudged_all"),
    modulators=(MISJUDGED,),
    saccades=8,
)
