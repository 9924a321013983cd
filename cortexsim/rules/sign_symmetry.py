"""Sign symmetry: feedback weights that have the signs of the forward weights, but not their magnitudes.

Liao, Leibo, Poggio, "How important is weight symmetry in backpropagation?", AAAI 2016; Moskovitz, Litwin-Kumar, Abbott,
"Feedback alignment in deep convolutional networks", 2018:

    dW_ji = -eta * (B delta')_j rho'(a_j) * x_i,    B = M o sign(W'^T)

with magnitudes M that are all equal (uniform, `feedback = "uSF"`), random and fixed (`"frSF"`), or random and drawn for
each batch (`"brSF"`).

What breaks locality:

>>> RULE.locality_violations
['error passed from layer to layer', 'transported signs of weights']
"""

from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="sign_symmetry",
    equation="dW = -eta * (M o sign(W'^T) delta') * rho'(a) * x",
    source="Liao, Leibo, Poggio 2016; Moskovitz, Litwin-Kumar, Abbott 2018",
    feedforward=ThreeFactor(post="derivative_post", third="-error_post"),
    path=ErrorPath("layered", "uSF"),
)
