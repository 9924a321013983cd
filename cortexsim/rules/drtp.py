"""DRTP: direct random target projection.

Frenkel, Lefebvre, Bol, "Learning without feedback: fixed random learning signals allow for feedforward training of deep
neural networks", Frontiers in Neuroscience 2021. There is no error: the label itself, y, reaches every cell through
fixed random weights, instead of -e, whose sign it has for the correct class:

    dW_ji = eta * (F y)_j rho'(a_j) * x_i

What it needs beyond the two cells of a synapse, which breaks no locality:

>>> RULE.needs
['target, one component per class']
>>> RULE.locality_violations
[]
"""

from cortexsim.modulators import TARGET
from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="drtp",
    equation="dW = eta * (F y) * rho'(a) * x,  y = onehot(label)",
    source="Frenkel, Lefebvre, Bol 2021",
    feedforward=ThreeFactor(post="derivative_post", third="feedback_post"),
    modulators=(TARGET,),
    path=ErrorPath("direct", "random"),
)
