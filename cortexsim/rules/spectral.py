"""Spectral learning: rates and dendrites predict each other, with covariances instead of negative samples.

Wang, Wu, Huang, Zheng, Xu, Zhang, Huang, "An efficient approach to informative feature extraction from multimodal
data", AAAI 2019 (Soft-HGR), as a loss of every layer of its own, with weights B between activity and context. Its
ancestor, uncentred and with one encoder, is the spectral contrastive loss (HaoChen, Wei, Gaidon, Ma, NeurIPS 2021).
With z and c minus their running means, u = z^T B c, d = B c, C = <z z^T> and D = <d d^T>,

    loss = -<u> + <u'^2> / 2 = -<z^T B c> + tr(C D) / 2

where u' is of independent pairs: their mean square is a product of covariances, so that no such pair is ever shown. The
negative gradient, contexts taken as given, has the errors with which dendrites and rates predict each other:

    dW_ji = eta * (d_j - sum_k D_jk z_k) rho'(a_j) * x_i
    dB_jl = eta * (z_j - sum_k C_jk d_k) * c_l

At the optimum 1 + u is p(z, c) / (p(z) p(c)), as far as the rank of B allows.

No synapse knows either sum. Synapses from the other cells of a column that transmit rates could compute sum_k D_jk z_k,
but their weights D would follow the dendrites of both cells; synapses that transmit dendritic signals could compute
sum_k C_jk d_k, but their weights C would follow rates. The rule declares both.

What breaks locality:

>>> print(*RULE.locality_violations, sep="\\n")
rates of its column reach a cell through the covariance of their dendrites
dendrites of its column reach a cell through the covariance of their rates
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
