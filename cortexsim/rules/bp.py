"""BP: backpropagation, written as a rule.

Rumelhart, Hinton, Williams, "Learning representations by back-propagating errors", Nature 1986:

    dW_ji = -eta * (W'^T delta')_j rho'(a_j) * x_i,    delta_j = (W'^T delta')_j rho'(a_j)

with W' and delta' those of the layer above. As a rule, it can be ablated: `masks` and `feedback` of a model replace one
of its ingredients. The reference of all comparisons is the gradient itself, `learner = "backprop"`.

What breaks locality, and how much of it random feedback weights mend:

>>> RULE.locality_violations
['error passed from layer to layer', 'transported weights']
>>> RULE.with_error_path(feedback="random", masks=None).locality_violations
['error passed from layer to layer']
"""

from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="bp",
    equation="dW = -eta * (W'^T delta') * rho'(a) * x",
    source="Rumelhart, Hinton, Williams 1986",
    feedforward=ThreeFactor(post="derivative_post", third="-error_post"),
    path=ErrorPath("layered", "transpose"),
)
