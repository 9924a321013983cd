"""Spectral learning: cells and dendrites foretell each other, with covariances in the place of negatives.

Wang, Wu, Huang, Zheng, Xu, Zhang, Huang, "An efficient approach to informative feature extraction from multimodal
data", AAAI 2019 (Soft-HGR), as a loss of every layer of its own, with weights B between activity and context. Its
ancestor, uncentred and with one encoder, is the spectral contrastive loss (HaoChen, Wei, Gaidon, Ma, NeurIPS 2021).
With z and c less their running means, u = z^T B c, d = B c, C = <z z^T> and D = <d d^T>,

    loss = -<u> + <u'^2> / 2 = -<z^T B c> + tr(C D) / 2

where u' is of pairs that have nothing to do with each other: their mean square is a product of covariances, so that no
such pair is ever shown. The negative gradient, contexts taken as given, is what dendrites and rates fail to foretell of
each other:

    dW_ji = eta * (d_j - sum_k D_jk z_k) rho'(a_j) * x_i
    dB_jl = eta * (z_j - sum_k C_jk d_k) * c_l

At the optimum 1 + u is p(z, c) / (p(z) p(c)), so far as it has that rank.

Neither sum is known to a synapse. sum_k D_jk z_k would be carried by synapses from the rates of a column's other cells,
but their weights D follow the dendrites of both cells; sum_k C_jk d_k by synapses from dendrites, whose weights C
follow rates. The rule declares both.
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="spectral",
    equation="dW = eta * (B c - <B c (B c)^T> z) rho'(a) * x,  dB = eta * (z - <z z^T> B c) * c",
    source="Wang, Wu, Huang, Zheng, Xu, Zhang, Huang 2019; HaoChen, Wei, Gaidon, Ma 2021",
    feedforward=ThreeFactor(
        post="derivative_post", third="dendrite_post - dendrite_mean_post - predicted_dendrite_post"
    ),
    context=ThreeFactor(post="activity_post - mean_post - predicted_rate_post", third="1"),
    saccades=0,
    breaks={
        "predicted_dendrite_post": "rates of its column reach a cell through the covariance of their dendrites",
        "predicted_rate_post": "dendrites of its column reach a cell through the covariance of their rates",
    },
)
