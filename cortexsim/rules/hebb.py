"""Hebb: the covariance rule with a decay that bounds the weights. The simplest example of a rule.

Sejnowski, "Storing covariance with nonlinearly interacting neurons", J. Math. Biology 1977; the decay is that of Oja,
"A simplified neuron model as a principal component analyzer", J. Math. Biology 1982:

    dw_ji = eta * ((z_j - <z_j>) * x_i - z_j^2 * w_ji)

It has neither error nor context: it finds the directions of largest variance, not those that predict.

A cell above its mean rate, here 1, strengthens its active synapses, and one below weakens them:

>>> import numpy as np
>>> RULE.feedforward.texts()["post"]({"activity_post": np.array([0.5, 1.0, 1.5]), "mean_post": 1.0}, {})
array([-0.5,  0. ,  0.5])
"""

from cortexsim.modulators import AROUSAL
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="hebb",
    equation="dW = eta * ((z - <z>) * x - z^2 * W)",
    source="Sejnowski 1977; Oja 1982",
    feedforward=ThreeFactor(post="activity_post - mean_post", third="arousal_all", decay="activity_post**2"),
    modulators=(AROUSAL,),
)
