"""Noradrenaline after pairs of pre before post potentiates, serotonin after pairs of post before pre depresses.

He, Huertas, Hong, Tie, Hell, Shouval, Kirkwood, "Distinct eligibility traces for LTP and LTD in cortical synapses",
Neuron 2015, and Hong et al., Nature Communications 2022, layer 2/3 of visual cortex: without the right amine in time
nothing changes, and the trace that serotonin reads is the shorter one. The card is the table of signs, and that both
effects fade as the amine comes later; numbers of pairs and delays are choices made here.

The number that decides:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("cortical_traces")).number
'6 of 6 signs; 10 s late 0.15 and 0.02 remain'
"""

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Pulse
from cortexsim.protocols.signs import after_pairs, compare, fades, fading
from cortexsim.rules import Rule

DELAYS, AFTER = (0.5, 2.0, 5.0, 10.0), 60.0  # From the last spike to the amine, and until the weight is read, s.
NAMES = ("", "noradrenaline", "serotonin")
SIGNS = {
    (10, ""): 0, (10, "noradrenaline"): 1, (10, "serotonin"): 0,
    (-10, ""): 0, (-10, "noradrenaline"): 0, (-10, "serotonin"): -1,
}  # fmt: skip
NOTHING = 0.2  # Share of the largest change that counts as none.


def measure(rule: Rule) -> Result:
    """Run a rule through the six conditions, and with later amines; count the signs that are right."""
    conditions = {(f"{delta:+d} ms", NAMES.index(amine)): sign for (delta, amine), sign in SIGNS.items()}
    points, right = compare([_change(rule, *condition) for condition in SIGNS], conditions, NOTHING)
    potentiation, depression = (
        fading([_change(rule, delta, amine, delay) for delay in DELAYS])
        for delta, amine in ((10, "noradrenaline"), (-10, "serotonin"))
    )
    for name, shares in (("noradrenaline late", potentiation), ("serotonin late", depression)):
        points += [Point(name, delay, share) for delay, share in zip(DELAYS, shares, strict=True)]
    fade = fades(potentiation) and fades(depression) and bool(potentiation[-1] > depression[-1])
    number = (
        f"{right} of {len(SIGNS)} signs; {DELAYS[-1]:g} s late {potentiation[-1]:.2f} and {depression[-1]:.2f} remain"
    )
    return Result(points, number, right == len(SIGNS) and fade)


def _change(rule: Rule, delta: int, amine: str, delay: float = DELAYS[0]) -> float:
    return after_pairs(rule, delta, lambda last: {amine: [Pulse(last + delay)]} if amine else {}, AFTER)


CARD = Card(
    name="two_amines",
    title="Two amines turn two traces of the same synapse into opposite changes",
    criterion="all six signs; later amines do less, at last less than half, and serotonin loses more",
    source="He et al. 2015; Hong et al. 2022",
    axes=("0 no amine, 1 noradrenaline, 2 serotonin; late: delay [s]", "change of weight, relative; data: its sign"),
    measure=measure,
    modulators=frozenset({"noradrenaline", "serotonin"}),
)
