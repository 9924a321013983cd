"""VICReg, layer by layer: views agree, every cell varies, and no two cells vary together.

Bardes, Ponce, LeCun, "VICReg: variance-invariance-covariance regularization for self-supervised learning", ICLR 2022,
as a loss of every layer of its own (Siddiqui, Krueger, LeCun, Deny 2023). With c another view, taken as given:

    loss = invariance / 2 |z - c|^2 + variance sum_i max(0, target - sqrt(var_i)) + covariance / 4 sum_{i != k} C_ik^2
    dW_ji = eta * (invariance (c_j - z_j) + variance 1[sqrt(var_j) < target] (z_j - <z_j>) / sqrt(var_j)
            - covariance sum_{k != j} C_jk (z_k - <z_k>)) rho'(a_j) * x_i

Here the other view is the mean over siblings; means and covariances are running ones.

The published code weights by 25 the mean square of z - c over M cells, by 25 the mean of max(0, 1 - sqrt(var)) over
cells and views, and by 1 the sum of C_ik^2 over M, of both views. In the units here, and but for a common factor, that
is invariance = 1, variance = 1/4 and covariance = 2/25. There an expander of many more units lies between the activity
and the loss; with `network.projection` the rule acts on one linear layer of such units.

Where views have little in common, `variance` should be well below `invariance`: the standard deviation then stays below
`target`, the variance term never ceases, and directions that views do not share shrink against it.

The variance term acts on a cell that varies less than the target, and then only:

>>> import numpy as np
>>> agreed = {"activity_post": 1.2, "context_post": 1.2, "mean_post": 1.0, "lateral_post": 0.0, **RULE.constants}
>>> values = {**agreed, "variance_post": np.array([0.25, 4.0])}
>>> RULE.feedforward.texts()["third"](values, {"int": np.asarray, "sqrt": np.sqrt}).round(2)
array([0.4, 0. ])
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="vicreg_local",
    equation="dW = eta * (i (c - z) + v 1[std < t] (z - <z>) / std - k sum C (z - <z>)) * rho'(a) * x",
    source="Bardes, Ponce, LeCun 2022; Siddiqui et al. 2023",
    feedforward=ThreeFactor(
        post="derivative_post",
        third="invariance * (context_post - activity_post)"
        " + variance * int(variance_post < target**2) * (activity_post - mean_post) / sqrt(variance_post + floor)"
        " - covariance * lateral_post",
    ),
    saccades=0,
    constants={"invariance": 1.0, "variance": 1.0, "covariance": 1.0, "target": 1.0, "floor": 1e-4},
)
