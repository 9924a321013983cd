"""Predictive coding: activity settles between prediction and target, and the remaining difference is the error.

Whittington, Bogacz, "An approximation of the error backpropagation algorithm in a predictive coding network with local
Hebbian synaptic plasticity", Neural Computation 2017. Each layer has values v_l beside its prediction from below,
f(v_{l-1}):

    eps_l = f(v_{l-1}) - v_l,    v_l <- v_l + rate * (eps_l - W'^T (rho'(a') o eps')),    `steps` times
    dW_ji = -eta * eps_j rho'(a_j) * v_i

with the output clamped to the label: the top layer receives beta^T e, times `precision`. The lower the precision, the
less activity moves, and the closer the errors are to those of backpropagation. With `fixed = 1` predictions remain as
they were before settling, and the errors converge to exactly those (Millidge, Tschantz, Buckley, Neural Computation
2022). `rate` has to stay below 2 / (1 + s^2), s the largest singular value of the weights: above it values diverge,
however well they settled before the weights had grown.

What it needs beyond the two cells of a synapse, and a variant with the errors of backpropagation:

>>> RULE.needs
['output error']
>>> RULE.with_constants({"fixed": 1.0}, {}).path.constants["fixed"]
1.0
"""

from cortexsim.rules.error_path import ErrorPath
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="predictive_coding",
    equation="dW = -eta * eps * rho'(a) * v,  eps = f(v_below) - v",
    source="Whittington, Bogacz 2017",
    feedforward=ThreeFactor(post="derivative_post", third="-error_post"),
    path=ErrorPath("settled", "transpose", constants={"steps": 20.0, "rate": 0.05, "precision": 0.01, "fixed": 0.0}),
)
