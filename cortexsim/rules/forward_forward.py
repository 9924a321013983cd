"""Forward-forward: layers that are active for real inputs, and quiet for false ones.

Hinton, "The forward-forward algorithm: some preliminary investigations", 2022. The goodness g = |z|^2 of a column
should be above a threshold for true inputs (y = +1), and below it for false ones (y = -1):

    loss = log(1 + exp(-y (g - threshold)))
    dW_ji = eta * 2 y / (1 + exp(y (g - threshold))) z_j rho'(a_j) * x_i

False inputs are hybrids: of the patches that a column sees, the first comes from one sample, the others from another,
as when a saccade falls between them.

As in the paper, every layer's input is normalised to one length in each sample (``input_scaling = "sample"`` in
`models/forward-forward.toml`), since the next layer could otherwise read the goodness, which is that length. What
differs: here that is done column by column; the paper's hybrids are mixed from whole images by a mask, and the response
of a layer to them is the false input of the next, whereas here each layer gets a new mixture of clean activity.

What it needs beyond the two cells of a synapse, and where it runs:

>>> RULE.needs
['goodness, one per column', 'negative inputs']
>>> RULE.substrates
('rate',)
"""

from cortexsim.modulators import Modulator
from cortexsim.rules.three_factor import Rule, ThreeFactor

GOODNESS = Modulator(
    "goodness",
    scope="column",
    score="activity_post**2",
    value="2 * contrast_all / (1 + exp(clip(contrast_all * (score_all - threshold), -50, 50)))",
    constants={"threshold": 1.0},
)

RULE = Rule(
    name="forward_forward",
    equation="dW = eta * 2 y sigmoid(-y (|z|^2 - threshold)) * z rho'(a) * x",
    source="Hinton 2022",
    feedforward=ThreeFactor(post="derivative_post", third="goodness_all * activity_post"),
    modulators=(GOODNESS,),
    negatives="hybrid",
)
