"""CLAPP with retrodiction: a column also changes as the context of others.

Illing, Ventura, Bellec, Gerstner, "Local plasticity rules can learn deep representations using self-supervised
contrastive predictions", NeurIPS 2021, Eqs. 6 to 8, with weights of its own for each direction between two columns. The
loss is that of `clapp`, and so is the change of B; but the context is not taken as given. For column q, the context of
columns p by weights B_pq, the negative gradient of the sum of all their losses is

    dW_ji = eta * (y 1[y u < 1] (B c)_j + sum_p y_p 1[y_p u_p < 1] (B_pq^T z_p)_j) rho'(a_j) * x_i

The second term is available when columns p have their scores: for a negative sample after the next saccade, for which
the eligibility waits. B_pq is read here from its presynaptic end. Synapses from p to q could have weights of their own,
as the paper's W_retro, and learn the same from the same two cells; but they too would have to know the surprise of p.
CLAPP++ (Zihan, Delrocq, Gerstner, Bellec 2026) leaves the term out.

What breaks locality:

>>> print(RULE.locality_violations[0])
rates of the columns whose context it is, each gated by that column's own surprise, ...
"""

from dataclasses import replace

from cortexsim.rules.clapp import RULE as CLAPP
from cortexsim.rules.three_factor import ThreeFactor

RULE = replace(
    CLAPP,
    name="clapp_retro",
    equation="dW = eta * (y 1[y u < 1] (B c) + sum_p y_p 1[y_p u_p < 1] (B_p^T z_p)) rho'(a) * x,  u = z^T B c",
    feedforward=ThreeFactor(post="derivative_post", third="surprise_all * dendrite_post + returned_post"),
    breaks={
        "returned_post": "rates of the columns whose context it is, each gated by that column's own surprise, reach a"
        " cell through copies of their context weights, read from the presynaptic end"
    },
)
