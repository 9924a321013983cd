"""Oja: Hebbian learning whose decay keeps the weights of a cell at unit length.

Oja, "A simplified neuron model as a principal component analyzer", J. Math. Biology 1982:

    dw_ji = eta * z_j * (x_i - z_j w_ji)

For a linear cell the weights become the first principal component of its inputs.

Here the first of two inputs varies most:

>>> import numpy as np
>>> weights, texts = np.array([0.6, 0.8]), RULE.feedforward.texts()
>>> for inputs in np.random.default_rng(0).normal(scale=[2.0, 1.0], size=(5000, 2)):
...     cell = {"activity_post": weights @ inputs}
...     weights += 0.002 * (texts["post"](cell, {}) * inputs - texts["decay"](cell, {}) * weights)
>>> np.abs(weights).round(1)
array([1., 0.])
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="oja",
    equation="dW = eta * z * (x - z * W)",
    source="Oja 1982",
    feedforward=ThreeFactor(post="activity_post", third="1", decay="activity_post**2"),
)
