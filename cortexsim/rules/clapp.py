"""CLAPP: contrastive, local and predictive plasticity.

Illing, Ventura, Bellec, Gerstner, "Local plasticity rules can learn deep representations using self-supervised
contrastive predictions", NeurIPS 2021. The loss of one column, for context c of the same object (y = +1) or of another
one, after a saccade (y = -1), is

    loss = max(0, 1 - y u),    u = z^T B c

and its negative gradient, the context taken as given, is three-factor plasticity of both kinds of synapse:

    dW_ji = eta * y 1[y u < 1] * (B c)_j rho'(a_j) * x_i
    dB_jk = eta * y 1[y u < 1] * z_j * c_k

The margin, here 1, is `margin` for y = +1 and `margin_after` for y = -1.

What differs from the paper: its update has a second, retrodictive term, by which a column also changes as the context
of others. It is left out here, as in CLAPP++ (Zihan, Delrocq, Gerstner, Bellec 2026), where the context is taken as
given; `clapp_retro` has it. As in the paper's CLAPP-s, every fixation has a positive and a negative pair, where its
CLAPP has one of the two.

A column is surprised by a context of the same object whose score is below the margin, and by one of another object
whose score is above minus the margin:

>>> from cortexsim.expression import Expression
>>> (surprise,) = RULE.modulators
>>> value = Expression(surprise.value)
>>> for y, u in ((1, 0.5), (1, 2.0), (-1, 0.5), (-1, -2.0)):
...     print(y, u, value({"contrast_all": y, "score_all": u, **surprise.constants}, {"int": int}))
1 0.5 1
1 2.0 0
-1 0.5 -1
-1 -2.0 0
"""

from cortexsim.modulators import SURPRISE
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="clapp",
    equation="dW = eta * y 1[y u < 1] * (B c) rho'(a) * x,  u = z^T B c",
    source="Illing, Ventura, Bellec, Gerstner 2021",
    feedforward=ThreeFactor(post="derivative_post", third="surprise_all * dendrite_post"),
    context=ThreeFactor(post="activity_post", third="surprise_all"),
    modulators=(SURPRISE,),
)
