"""SCFF: forward-forward without labels, on an input with itself and an input with another.

Chen, Liu, Laydevant, Grollier, "Self-contrastive forward-forward algorithm", Nature Communications 2025. The rule is
that of forward-forward; true inputs put a sample beside itself, [x, x], false ones beside another, [x, x']. Both halves
meet the same weights, so that a cell hears their mean:

    dW_ji = eta * 2 y / (1 + exp(y (|z|^2 - threshold))) z_j rho'(a_j) * (x + x')_i / 2

As in the paper, every layer's input is brought to one length in each sample (``input_scaling = "sample"`` in
`models/scff.toml`). What differs from the paper and its code: the length there is of the pair [x, x'], before its
halves meet the weights, and here of their mean; what a layer makes of a false input is the next one's false input
there, where here each layer pairs clean activity anew; goodness is there a mean over cells, here a sum; true and false
inputs have thresholds of their own there, here they share one; and there a term lambda g of true inputs keeps goodness
small.
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
