"""Acetylcholine during pairs of spikes depresses, whatever their order; dopamine afterwards makes it potentiation.

Brzosko, Schultz, Paulsen, "Retroactive modulation of spike timing-dependent plasticity by dopamine", eLife 2015;
Brzosko, Zannone, Schultz, Clopath, Paulsen, eLife 2017, hippocampal slices. The card is the table of signs of the
second, and that dopamine does the less the later it comes; numbers of pairs, levels and delays are choices made here.

The number that decides:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("sequential_neuromodulation")).number
'6 of 6 signs; 6 s late 0.06 remains'
"""

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Pulse
from cortexsim.protocols.signs import Pulses, after_pairs, compare, fades, fading
from cortexsim.rules import Rule

DELAYS = (0.2, 1.0, 3.0, 6.0)  # From the last spike to dopamine, s.
HELD, AFTER = 5.0, 20.0  # How long dopamine stays, and time from the last spike until the weight is read, s.
SIGNS = {"acetylcholine": -1, "acetylcholine, then dopamine": 1, "dopamine afterwards": 1}
ORDERS = (10, -10)  # t_post - t_pre, ms.


def measure(rule: Rule) -> Result:
    """Run a rule through the conditions in both orders, and with later dopamine; count the signs that are right."""
    conditions = {(f"{delta:+d} ms", place): sign for delta in ORDERS for place, sign in enumerate(SIGNS.values())}
    points, right = compare([_change(rule, delta, name) for delta in ORDERS for name in SIGNS], conditions)
    late = fading([_change(rule, ORDERS[0], "dopamine afterwards", delay) for delay in DELAYS])
    points += [Point("dopamine late", delay, share) for delay, share in zip(DELAYS, late, strict=True)]
    number = f"{right} of {len(conditions)} signs; {DELAYS[-1]:g} s late {late[-1]:.2f} remains"
    return Result(points, number, right == len(conditions) and fades(late))


def _change(rule: Rule, delta: int, name: str, delay: float = DELAYS[0]) -> float:
    def pulses(last: float) -> Pulses:
        held = {"acetylcholine": [Pulse(0.0, 1.0, last + DELAYS[0])], "dopamine": [Pulse(last + delay, 1.0, HELD)]}
        return {amine: pulse for amine, pulse in held.items() if amine in name}

    return after_pairs(rule, delta, pulses, AFTER)


CARD = Card(
    name="sequential",
    title="Dopamine after acetylcholine turns depression into potentiation",
    criterion="all six signs, three in each order of spikes; later dopamine does less, at last less than half",
    source="Brzosko et al. 2015, 2017",
    axes=(
        "0 acetylcholine, 1 then dopamine, 2 dopamine alone; late: delay [s]",
        "change of weight, relative; data: its sign",
    ),
    measure=measure,
    modulators=frozenset({"acetylcholine", "dopamine"}),
)
