"""BCM: the threshold between depression and potentiation follows the square of the cell's own rate.

Bienenstock, Cooper, Munro, "Theory for the development of neuron selectivity: orientation specificity and binocular
interaction in visual cortex", J. Neuroscience 1982, in the form of Law & Cooper, "Formation of receptive fields in
realistic visual environments according to the Bienenstock, Cooper, and Munro (BCM) theory", PNAS 1994:

    dw_ji = eta * z_j (z_j - theta_j) / theta_j * x_i,    theta_j = <z_j^2>

A running mean of squares is the running variance plus the square of the running mean. Theirs divides by the threshold
so that learning does not become faster where activity is high; `floor` keeps that finite for a cell that is silent.

With a threshold of 1, a rate of 0.5 depresses and one of 2 potentiates:

>>> import numpy as np
>>> cell = {"activity_post": np.array([0.5, 2.0]), "mean_post": 1.0, "variance_post": 0.0, **RULE.constants}
>>> (RULE.feedforward.texts()["third"](cell, {}) * cell["activity_post"]).round(2)
array([-0.25,  2.  ])
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="bcm",
    equation="dW = eta * z * (z - theta) / theta * x,  theta = <z^2>",
    source="Bienenstock, Cooper, Munro 1982; Law & Cooper 1994",
    feedforward=ThreeFactor(
        post="activity_post",
        third="(activity_post - variance_post - mean_post**2) / (variance_post + mean_post**2 + floor)",
    ),
    constants={"floor": 1e-4},
)
