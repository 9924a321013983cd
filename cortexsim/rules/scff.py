"""SCFF: forward-forward without labels, on an input with itself and an input with another.

Chen, Liu, Laydevant, Grollier, "Self-contrastive forward-forward algorithm", Nature Communications 2025. The rule is
that of forward-forward; true inputs concatenate a sample with itself, [x, x], false ones with another, [x, x']. Both
halves have the same weights, so that the drive of a cell is that of their mean:

    dW_ji = eta * 2 y / (1 + exp(y (|z|^2 - threshold))) z_j rho'(a_j) * (x + x')_i / 2

As in the paper, every layer's input is normalised to one length in each sample (``input_scaling = "sample"`` in
`models/scff.toml`). What differs from the paper and its code: the length there is of the pair [x, x'], before its
halves are weighted, and here of their mean; the response of a layer to a false input is the false input of the next
there, whereas here each layer pairs clean activity anew; goodness is there a mean over cells, here a sum; true and
false inputs have thresholds of their own there, here they share one; and there a term lambda g of true inputs keeps
goodness small.

What it needs beyond the two cells of a synapse, and where its false inputs differ from those of forward-forward:

>>> RULE.needs
['goodness, one per column', 'negative inputs']
>>> RULE.negatives, FORWARD_FORWARD.negatives
('blend', 'hybrid')
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
