"""DFA: direct feedback alignment.

Nokland, "Direct feedback alignment provides learning in deep neural networks", NeurIPS 2016. The output error e =
softmax(output) - onehot(label) reaches every cell through fixed random weights F, bypassing all layers in between:

    dW_ji = -eta * (F e)_j * rho'(a_j) * x_i

The cell applies its own derivative, but none of those downstream: there is no input-specific masking.

What it needs beyond the two cells of a synapse, which breaks no locality:

>>> RULE.needs
['error, one component per class']
>>> RULE.locality_violations
[]
"""

from cortexsim.modulators import ERROR
from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="dfa",
    equation="dW = -eta * (F e) * rho'(a) * x,  e = softmax(output) - onehot(label)",
    source="Nokland 2016",
    feedforward=ThreeFactor(post="derivative_post", third="-feedback_post"),
    modulators=(ERROR,),
    path=ErrorPath("direct", "random"),
)
