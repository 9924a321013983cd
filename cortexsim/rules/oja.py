"""Oja: Hebbian learning whose decay keeps the weights of a cell at unit length.

Oja, "A simplified neuron model as a principal component analyzer", J. Math. Biology 1982:

    dw_ji = eta * z_j * (x_i - z_j w_ji)

For a linear cell the weights become the first principal component of its inputs.
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="oja",
    equation="dW = eta * z * (x - z * W)",
    source="Oja 1982",
    feedforward=ThreeFactor(post="activity_post", third="1", decay="activity_post**2"),
)
