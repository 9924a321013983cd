"""SCFF: forward-forward without labels, on an input with itself and an input with another.

Chen, Liu, Laydevant, Grollier, "Self-contrastive forward-forward algorithm", Nature Communications 2025. The rule is
that of forward-forward; true inputs put a sample beside itself, [x, x], false ones beside another, [x, x']. Both halves
meet the same weights, so that a cell hears their mean:

    dW_ji = eta * 2 y / (1 + exp(y (|z|^2 - threshold))) z_j rho'(a_j) * (x + x')_i / 2
"""

from dataclasses import replace

from cortexsim.rules.forward_forward import RULE as FORWARD_FORWARD

RULE = replace(
    FORWARD_FORWARD,
    name="scff",
    equation="dW = eta * 2 y sigmoid(-y (|z|^2 - threshold)) * z rho'(a) * (x + x') / 2",
    source="Chen, Liu, Laydevant, Grollier 2025",
    negatives="blend",
)
