"""Acetylcholine during pairs of spikes depresses, whatever their order; dopamine afterwards makes it potentiation.

Brzosko, Schultz, Paulsen, "Retroactive modulation of spike timing-dependent plasticity by dopamine", eLife 2015;
Brzosko, Zannone, Schultz, Clopath, Paulsen, eLife 2017, hippocampal slices. The card is the table of signs of the
second; numbers of pairs, levels and delays are choices made here.
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol, Pulse
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import pairs
from cortexsim.rules import Rule

RATE, COUNT, DELAY, HELD, AFTER = 10.0, 20, 0.2, 5.0, 20.0  # Hz; pairs; s to dopamine, its length, s until reading.
SIGNS = {"acetylcholine": -1, "acetylcholine, then dopamine": 1, "dopamine afterwards": 1}


def measure(rule: Rule) -> Result:
    """Run a rule through the conditions in both orders, and count the signs that are right."""
    points, right = [], 0
    changes = {(delta, name): _change(rule, delta / 1000, name) for delta in (10, -10) for name in SIGNS}
    largest = max(map(abs, changes.values())) or 1.0
    for (delta, name), change in changes.items():
        right += np.sign(change) == SIGNS[name]
        points.append(Point(f"{delta:+d} ms", list(SIGNS).index(name), change / largest, SIGNS[name]))
    return Result(points, f"{right} of {len(changes)} signs", bool(right == len(changes)))


def _change(rule: Rule, delta: float, name: str) -> float:
    trains = pairs(delta, RATE, COUNT)
    last = float(max(trains.pre[0][-1], trains.post[0][-1]))
    pulses = {}
    if "acetylcholine" in name:
        pulses["acetylcholine"] = [Pulse(0.0, 1.0, last + DELAY)]
    if "dopamine" in name:
        pulses["dopamine"] = [Pulse(last + DELAY, 1.0, HELD)]
    return float(run(rule, Protocol(trains.pre, trains.post, last + AFTER, pulses=pulses))[0])


CARD = Card(
    name="sequential",
    title="Dopamine after acetylcholine turns depression into potentiation",
    criterion="all six signs, three in each order of spikes",
    source="Brzosko et al. 2015, 2017",
    axes=("0 acetylcholine, 1 then dopamine, 2 dopamine alone", "change of weight, relative; data: its sign"),
    measure=measure,
    modulators=frozenset({"acetylcholine", "dopamine"}),
)
