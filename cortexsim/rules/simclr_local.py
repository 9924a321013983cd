"""SimCLR, layer by layer: InfoNCE on the angle between activity and context, with no weights between them.

Chen, Kornblith, Norouzi, Hinton, "A simple framework for contrastive learning of visual representations", ICML 2020, as
a loss of every layer of its own (Siddiqui, Krueger, LeCun, Deny 2023):

    loss = -log p_0,    p_k = softmax_k(s_k / temperature),    s_k = z^T c_k / (|z| |c_k|)

Each cell receives the cell of its index in the siblings, and the negative gradient, contexts taken as given and up to a
factor of 1 over the temperature, needs three more numbers of its column, |z|, |c_k| and s_k, each of them a sum over
cells:

    dW_ji = eta * sum_k (1[k = 0] - p_k) ((c_k)_j / |c_k| - s_k z_j / |z|) / |z| * rho'(a_j) * x_i

What it needs beyond the two cells of a synapse:

>>> print(*RULE.needs, sep="\\n")
a context
size, one per column
context_size, one per column
angle, one per column
misjudged, one per column
"""

from cortexsim.modulators import Modulator
from cortexsim.rules.three_factor import Rule, ThreeFactor

SIZE = Modulator("size", scope="column", score="activity_post**2", value="sqrt(score_all + 1e-8)")
CONTEXT_SIZE = Modulator("context_size", scope="column", score="context_post**2", value="sqrt(score_all + 1e-8)")
ANGLE = Modulator(
    "angle", scope="column", score="activity_post * context_post / (size_all * context_size_all)", value="score_all"
)
MISJUDGED = Modulator(
    "misjudged",
    scope="column",
    score="activity_post * context_post / (size_all * context_size_all * temperature)",
    value="(1 + contrast_all) / 2 - share_all",
    constants={"temperature": 0.1},
)

RULE = Rule(
    name="simclr_local",
    equation="dW = eta * sum_k (1[k = 0] - p_k) * (c_k / |c_k| - s_k z / |z|) / |z| * rho'(a) * x",
    source="Chen, Kornblith, Norouzi, Hinton 2020; Siddiqui et al. 2023",
    feedforward=ThreeFactor(
        post="derivative_post",
        third="misjudged_all * (context_post / context_size_all - angle_all * activity_post / size_all) / size_all",
    ),
    modulators=(SIZE, CONTEXT_SIZE, ANGLE, MISJUDGED),
    saccades=8,
)
