"""Spectral learning: cells and dendrites foretell each other, with covariances in the place of negatives.

HaoChen, Wei, Gaidon, Ma, "Provable guarantees for self-supervised deep learning with spectral contrastive loss",
NeurIPS 2021, in its form without negatives (Garrido, Chen, Bardes, Najman, LeCun, "On the duality between contrastive
and non-contrastive self-supervised learning", ICLR 2023), as a loss of every layer of its own, with weights B between
activity and context. With z and c less their running means, u = z^T B c, d = B c, C = <z z^T> and D = <d d^T>,

    loss = -<u> + <u'^2> / 2 = -<z^T B c> + tr(C D) / 2

where u' is of pairs that have nothing to do with each other: their mean square is a product of covariances, so that no
such pair is ever shown. The negative gradient, contexts taken as given, is what dendrites and rates fail to foretell of
each other:

    dW_ji = eta * (d_j - sum_k D_jk z_k) rho'(a_j) * x_i
    dB_jl = eta * (z_j - sum_k C_jk d_k) * c_l

Both sums are lateral inhibition, whose weights a Hebbian synapse within the column would come to. At the optimum 1 + u
is p(z, c) / (p(z) p(c)), so far as it has that rank.
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="spectral",
    equation="dW = eta * (B c - <B c (B c)^T> z) rho'(a) * x,  dB = eta * (z - <z z^T> B c) * c",
    source="HaoChen, Wei, Gaidon, Ma 2021; Garrido, Chen, Bardes, Najman, LeCun 2023",
    feedforward=ThreeFactor(post="derivative_post", third="dendrite_post - dendrite_mean_post - recalled_post"),
    context=ThreeFactor(post="activity_post - mean_post - foretold_post", third="1"),
    saccades=0,
)
