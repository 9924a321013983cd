"""LPL: latent predictive learning, Hebbian growth combined with prediction and decorrelation.

Halvagal, Zenke, "The combination of Hebbian and predictive plasticity learns invariant object representations in deep
sensory networks", Nature Neuroscience 2023. With c another view of the same object, taken as given, and <z>, var, C
running mean, variance and covariance of the activity, the loss of a column is

    loss = |z - c|^2 / 2 - hebbian / 2 sum_i log var_i + decorrelation / 4 sum_{i != k} C_ik^2

and its negative gradient

    dW_ji = eta * (c_j - z_j + hebbian (z_j - <z_j>) / var_j
            - decorrelation sum_{k != j} C_jk (z_k - <z_k>)) rho'(a_j) * x_i

The decorrelation is that of the paper's erratum. As first printed (Eq. 6) it was sum_{i != k} <(z_i - <z_i>)^2 (z_k -
<z_k>)^2>, a mean product of squares instead of a squared mean of products, which penalises any two cells that vary,
whether or not they covary. Here the other view is the mean over siblings.

The published code weights by 1 its predictive and its Hebbian term, means over M cells, and by 10 decorrelation, a mean
over their M (M - 1) pairs. In the units here that is hebbian = 1/2 and decorrelation = 10 / (M - 1), .16 for 64 cells.
There the loss is of the activity itself; with `network.projection` it is of linear cells that receive from it.

A cell that agrees with its context, and is above its mean, grows; decorrelation takes from that:

>>> import numpy as np
>>> cell = {"activity_post": 1.5, "context_post": 1.5, "mean_post": 1.0, "variance_post": 0.25, **RULE.constants}
>>> RULE.feedforward.texts()["third"]({**cell, "lateral_post": np.array([0.0, 1.0])}, {}).round(2)
array([2., 1.])
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="lpl",
    equation="dW = eta * (c - z + h (z - <z>) / var - d sum C (z - <z>)) * rho'(a) * x",
    source="Halvagal, Zenke 2023, with its erratum",
    feedforward=ThreeFactor(
        post="derivative_post",
        third="context_post - activity_post + hebbian * (activity_post - mean_post) / (variance_post + floor)"
        " - decorrelation * lateral_post",
    ),
    saccades=0,
    constants={"hebbian": 1.0, "decorrelation": 1.0, "floor": 1e-4},
)
