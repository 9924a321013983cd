"""Barlow Twins, layer by layer: a cell correlates with the cell of its index in other views, and with no other.

Zbontar, Jing, Misra, LeCun, Deny, "Barlow Twins: self-supervised learning via redundancy reduction", ICML 2021, as a
loss of every layer of its own (Siddiqui, Krueger, LeCun, Deny 2023). With C the cross-correlation of the activity with
another view c, taken as given, both of them normalised over the stream to z^ and c^, the loss of a column is

    loss = 1/2 sum_i (1 - C_ii)^2 + redundancy / 2 sum_{i != k} C_ik^2,    C_ik = <z^_i c^_k>
    dW_ji = eta * ((1 - C_jj) (c^_j - C_jj z^_j) - redundancy sum_{k != j} C_jk (c^_k - C_jk z^_j)) / std_j
            * rho'(a_j) * x_i

The terms with z^ are the derivative of the normalisation. Here the other view is the mean over siblings, with running
means and variances of its own: it varies less than each of them. In the paper a projector lies between the activity and
the loss; with `network.projection` the rule acts on a linear one.

C_jk is the weight that a Hebbian synapse from cell k of the siblings onto cell j would converge to, so that the rule
reads no other cell's weights: `cross_input_post` is the input through such synapses, and `cross_power_post` the sum of
their squared weights.

What it needs beyond the two cells of a synapse:

>>> print(*RULE.needs, sep="\\n")
a context
synapses from the context, which carry normalised rates and learn from rates and normalised rates
"""

from cortexsim.rules.three_factor import Rule, ThreeFactor

STD = "sqrt(variance_post + floor)"
NORMAL = f"(activity_post - mean_post) / {STD}"
OWN = f"cross_covariance_post / {STD}"

RULE = Rule(
    name="barlow_local",
    equation="dW = eta * ((1 - C) (c^ - C z^) - r sum C' (c'^ - C' z^)) / std * rho'(a) * x,  C = <z^ c^>",
    source="Zbontar, Jing, Misra, LeCun, Deny 2021; Siddiqui et al. 2023",
    feedforward=ThreeFactor(
        post="derivative_post",
        third=f"((1 - {OWN}) * (view_post - {OWN} * {NORMAL})"
        f" - redundancy * (cross_input_post / {STD} - cross_power_post / (variance_post + floor) * {NORMAL})) / {STD}",
    ),
    saccades=0,
    constants={"redundancy": 0.005, "floor": 1e-4},
)
