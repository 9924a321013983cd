"""Dopamine that comes seconds after a pair of spikes changes the synapse as if it had come at once, the less the later.

Izhikevich, "Solving the distal reward problem through linkage of STDP and dopamine signaling", Cerebral Cortex 2007.
For a pair delta apart and a brief pulse of dopamine T after its later spike, his equations are solved by

    dw = A exp(-|delta| / 20 ms) exp(-T / tau_c) tau_c / (tau_c + tau_d),    tau_c = 1 s, tau_d = .2 s

with depression 1.5 times potentiation. A rule is compared up to one factor, its change at 10 ms and .5 s.

The rule of the paper, and how its effect fades with the delay of dopamine:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("dopamine_stdp")).verdict
'pass'
>>> [round(expected(0.01, late), 2) for late in (0.5, 1.0, 2.0)]  # By seconds.
[1.0, 0.61, 0.22]
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol, Pulse
from cortexsim.protocols.running import run
from cortexsim.rules import Rule

CONDITIONS = ((0.01, 0.5), (0.01, 1.0), (0.01, 2.0), (0.02, 1.0), (-0.01, 1.0))  # delta and T, s.
TAU, TAU_ELIGIBILITY, DEPRESSION = 0.02, 1.0, 1.5
AFTER = 10.0  # Time until the weight is read, s.
TOLERANCE = 1e-4


def expected(delta: float, late: float) -> float:
    """Solve the equations for one pair, in units of the change at 10 ms and .5 s.

    Args:
        delta: t_post - t_pre, s.
        late: from the later spike to the pulse of dopamine, s.
    """
    sign, before = (1.0, CONDITIONS[0]) if delta > 0 else (-DEPRESSION, CONDITIONS[0])
    return sign * float(np.exp(-(abs(delta) - before[0]) / TAU - (late - before[1]) / TAU_ELIGIBILITY))


def measure(rule: Rule) -> Result:
    """Run a rule with dopamine at each delay, and without."""
    changes = [_change(rule, delta, late) for delta, late in CONDITIONS]
    unit = changes[0] or 1.0
    points = [
        Point(f"{delta * 1000:+g} ms", late, change / unit, expected(delta, late))
        for (delta, late), change in zip(CONDITIONS, changes, strict=True)
    ]
    points.append(Point("+10 ms, no dopamine", 1.0, _change(rule, 0.01, None) / unit, 0.0))
    worst = max(abs(point.model - point.data) for point in points if point.data is not None)
    return Result(points, f"largest difference {worst:.1e}", bool(worst <= TOLERANCE and changes[0] > 0))


def _change(rule: Rule, delta: float, late: float | None) -> float:
    first = 0.2
    last = max(first, first + delta)
    pulses = {} if late is None else {"dopamine": [Pulse(last + late)]}
    return float(run(rule, Protocol([[first]], [[first + delta]], last + AFTER, pulses=pulses))[0])


CARD = Card(
    name="dopamine",
    title="A reward seconds later reaches the synapses that were active before it",
    criterion=f"closed form within {TOLERANCE:g} of the change at 10 ms and .5 s",
    source="Izhikevich 2007",
    axes=("dopamine after the pair [s]", "change of weight, relative"),
    measure=measure,
    modulators=frozenset({"dopamine"}),
)
