"""Noradrenaline after pairs of pre before post potentiates, serotonin after pairs of post before pre depresses.

He, Huertas, Hong, Tie, Hell, Shouval, Kirkwood, "Distinct eligibility traces for LTP and LTD in cortical synapses",
Neuron 2015, and Hong et al., Nature Communications 2022, layer 2/3 of visual cortex: without the right amine in time
nothing changes. The card is the table of signs; numbers of pairs and delays are choices made here.
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol, Pulse
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import pairs
from cortexsim.rules import Rule

RATE, COUNT, DELAY, AFTER = 10.0, 20, 0.5, 60.0  # Pairs a second and in all; s from the last to the amine, and on.
SIGNS = {
    (10, ""): 0, (10, "noradrenaline"): 1, (10, "serotonin"): 0,
    (-10, ""): 0, (-10, "noradrenaline"): 0, (-10, "serotonin"): -1,
}  # fmt: skip
NOTHING = 0.2  # Share of the largest change that counts as none.


def measure(rule: Rule) -> Result:
    """Run a rule through the six conditions, and count the signs that are right."""
    changes = [_change(rule, delta / 1000, amine) for delta, amine in SIGNS]
    largest = max(map(abs, changes)) or 1.0
    names = ("", "noradrenaline", "serotonin")
    points, right = [], 0
    for ((delta, amine), sign), change in zip(SIGNS.items(), changes, strict=True):
        found = 0 if abs(change) < NOTHING * largest else int(np.sign(change))
        right += found == sign
        points.append(Point(f"{delta:+d} ms", names.index(amine), change / largest, sign))
    return Result(points, f"{right} of {len(SIGNS)} signs", right == len(SIGNS))


def _change(rule: Rule, delta: float, amine: str) -> float:
    trains = pairs(delta, RATE, COUNT)
    last = max(trains.pre[0][-1], trains.post[0][-1])
    pulses = {amine: [Pulse(last + DELAY)]} if amine else {}
    return float(run(rule, Protocol(trains.pre, trains.post, last + AFTER, pulses=pulses))[0])


CARD = Card(
    name="two_amines",
    title="Two amines turn two traces of the same synapse into opposite changes",
    criterion="all six signs",
    source="He et al. 2015; Hong et al. 2022",
    axes=("0 no amine, 1 noradrenaline, 2 serotonin", "change of weight, relative; data: its sign"),
    measure=measure,
    modulators=frozenset({"noradrenaline", "serotonin"}),
)
