"""DKP: direct Kolen-Pollack, direct feedback alignment whose feedback weights learn.

Webster, Choi, Ahn, "Learning the connections in direct feedback alignment", 2020. The feedback synapses follow the
product that output weights from that layer would follow:

    dW_ji = -eta * (F e)_j rho'(a_j) * x_i
    dF_jk = -eta * (z_j e_k + lambda F_jk)

At the top layer, F then converges to the transpose of the output weights beta, whose own change is -eta (e_k z_j +
lambda beta_kj): this fixes the sign. lambda is the model's `weight_decay`.

What it needs beyond the two cells of a synapse:

>>> RULE.needs
['error, one component per class', 'plastic feedback synapses']
"""

from cortexsim.modulators import ERROR
from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="dkp",
    equation="dW = -eta * (F e) * rho'(a) * x,  dF = -eta * z * e",
    source="Webster, Choi, Ahn 2020",
    feedforward=ThreeFactor(post="derivative_post", third="-feedback_post"),
    feedback=ThreeFactor(post="activity_post", third="-1"),
    modulators=(ERROR,),
    path=ErrorPath("direct", "random"),
)
