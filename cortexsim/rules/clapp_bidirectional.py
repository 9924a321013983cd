"""CLAPP in both directions of time.

CLAPP (Illing, Ventura, Bellec, Gerstner, NeurIPS 2021) contrasts a column's context with the one before it, after a
saccade. Here a column is also contrasted with the context that comes after its own. Each direction between two columns
has weights of its own, as it has among siblings anyway: B_ij from j to i, and B_ji from i to j. With c_{-1} and c_1 the
contexts of the fixation before and of the one after, the loss of one column is

    loss = max(0, 1 - u_0) + (max(0, 1 + u_{-1}) + max(0, 1 + u_1)) / 2,    u_k = z^T B c_k

half the sum of the two directions, so that its own context weighs as in CLAPP. The negative gradient, contexts taken as
given, is, with y_0 = +1 and weight w_0 = 1, y_{-1} = y_1 = -1 and w_{-1} = w_1 = 1/2,

    dW_ji = eta * sum_k w_k y_k 1[y_k u_k < 1] * (B c_k)_j rho'(a_j) * x_i
    dB_jl = eta * sum_k w_k y_k 1[y_k u_k < 1] * z_j * (c_k)_l

The eligibility of a fixation waits until the context of the next one has come.

What it needs beyond the two cells of a synapse:

>>> RULE.needs
['a context', 'surprise, one per column', 'contexts of later fixations']
"""

from dataclasses import replace

from cortexsim.modulators import SURPRISE
from cortexsim.rules.clapp import RULE as CLAPP

RULE = replace(
    CLAPP,
    name="clapp_bidirectional",
    equation="dW = eta * sum_k w_k y_k 1[y_k u_k < 1] * (B c_k) rho'(a) * x,  u_k = z^T B c_k,  k = -1, 0, 1",
    source="after Illing, Ventura, Bellec, Gerstner 2021",
    modulators=(replace(SURPRISE, value=f"(3 + contrast_all) / 4 * {SURPRISE.value}"),),
    negatives="around",
)
