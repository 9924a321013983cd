"""GEVB: global error-vector broadcasting, in networks of vector cells.

Clark, Abbott, Chung, "Credit assignment through broadcasting a global error vector", NeurIPS 2021. A cell has one
activity h^k for each class k, and is active where its drive points into its own half-space; weights above the first
layer are one for all components, and not negative. So the gain of every path from a cell to the output is not negative
either, and the error alone determines the sign of the gradient:

    dW_ij   = -eta * 1[i active] * sum_k e_k h_j^k
    dW_ij^k = -eta * 1[i active] * e_k x_j              in the first layer, whose inputs are no vectors

Component k of a cell receives component k of the error, and no other.

What it needs beyond the two cells of a synapse:

>>> RULE.needs
['error, one component per class']
"""

from cortexsim.modulators import COMPONENT_ERROR
from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="gevb",
    equation="dW = -eta * sum_k e_k * 1[active] * h_k",
    source="Clark, Abbott, Chung 2021",
    feedforward=ThreeFactor(post="derivative_post", third="-feedback_post"),
    modulators=(COMPONENT_ERROR,),
    path=ErrorPath("direct", "random"),
)
