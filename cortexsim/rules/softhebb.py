"""SoftHebb: Hebbian learning of the cells that win a soft competition within their column.

Moraitis, Toichkin, Journé, Chua, Guo, "SoftHebb: Bayesian inference in unsupervised Hebbian soft winner-take-all
networks", Neuromorphic Computing and Engineering 2, 044017 (2022):

    dw_ki = eta * y_k * (x_i - a_k * w_ki),   y_k = exp(a_k) / sum over the column of exp(a)

The competition has base e, as in the paper; its sharpness depends on the size of the drive, and so on
``network.input_rms``. It has neither error nor context.

What it needs beyond the two cells of a synapse, and all that its texts read:

>>> RULE.needs
['arousal, one per network']
>>> sorted(RULE.reads)
['activity_pre', 'arousal_all', 'drive_post', 'winning_post']
"""

from cortexsim.modulators import AROUSAL
from cortexsim.rules.three_factor import Rule, ThreeFactor

RULE = Rule(
    name="softhebb",
    equation="dW = eta * y * (x - a * W), y = softmax(a) over the column",
    source="Moraitis, Toichkin, Journé, Chua, Guo 2022",
    feedforward=ThreeFactor(post="winning_post", third="arousal_all", decay="winning_post * drive_post"),
    modulators=(AROUSAL,),
)
