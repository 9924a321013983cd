"""FA: feedback alignment.

Lillicrap, Cownden, Tweed, Akerman, "Random synaptic feedback weights support error backpropagation for deep learning",
Nature Communications 2016. The error of a layer reaches the layer below through fixed random weights B, where
backpropagation has W^T:

    dW_ji = -eta * (B delta')_j rho'(a_j) * x_i,    delta_j = (B delta')_j rho'(a_j)

with delta' that of the layer above, at the top the error of the output. As every layer applies its own derivatives
before it passes the error on, the masks are those of backpropagation.

What it needs beyond the two cells of a synapse, and what breaks locality:

>>> RULE.needs
['output error']
>>> RULE.locality_violations
['error passed from layer to layer']
"""

from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="fa",
    equation="dW = -eta * (B delta') * rho'(a) * x",
    source="Lillicrap, Cownden, Tweed, Akerman 2016",
    feedforward=ThreeFactor(post="derivative_post", third="-error_post"),
    path=ErrorPath("layered", "random"),
)
