"""Pairs of spikes at different frequencies: depression turns into potentiation above 20 to 40 Hz.

Sjostrom, Turrigiano, Nelson, "Rate, timing, and cooperativity jointly determine cortical synaptic plasticity", Neuron
2001: 60 pairs, as Pfister & Gerstner 2006 took them, in layer 5 of visual cortex. Their error is that of the card, the
mean of ((model - data) / s.e.m.)^2.

Pairs alone do not explain the data, triplets do:

>>> from cortexsim.rules import load_rule
>>> [CARD.examine(load_rule(name)).verdict for name in ("stdp_pair", "stdp_triplet")]
['fail', 'pass']
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.layer_rules import scaled
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import pairs
from cortexsim.rules import Rule

RATES = (0.1, 10.0, 20.0, 40.0, 50.0)  # Hz.
DATA = {
    10: ((-0.04, 0.05), (0.14, 0.10), (0.29, 0.14), (0.53, 0.11), (0.56, 0.26)),
    -10: ((-0.29, 0.08), (-0.41, 0.11), (-0.34, 0.10), (0.56, 0.32), (0.75, 0.19)),
}  # By t_post - t_pre in ms: relative change of the weight, and its standard error.
LARGEST = 1.0  # Error that passes: on average one standard error.


def measure(rule: Rule) -> Result:
    """Run a rule at each frequency and timing."""
    conditions = [(delta, rate, *value) for delta, row in DATA.items() for rate, value in zip(RATES, row, strict=True)]
    trains = [pairs(delta / 1000, rate) for delta, rate, *_ in conditions]
    together = Protocol([t.pre[0] for t in trains], [t.post[0] for t in trains], max(t.duration for t in trains))
    *_, measured, errors = np.array(conditions).T
    change = scaled(rule, run(rule, together), measured, errors)
    points = [
        Point(f"{delta:+d} ms", rate, model, data, error)
        for (delta, rate, data, error), model in zip(conditions, change, strict=True)
    ]
    mismatch = error_of(points)
    return Result(points, f"E = {mismatch:.2f}", mismatch < LARGEST)


def error_of(points: list[Point]) -> float:
    """Mean squared deviation of the model, in standard errors of the mean.

    Args:
        points: each with data and their standard error.
    """
    return float(np.mean([point.deviation**2 for point in points if point.deviation is not None]))


CARD = Card(
    name="frequency",
    title="At high frequency pairs potentiate, whatever their order",
    criterion=f"mean squared deviation E below {LARGEST:g} s.e.m.^2",
    source="Sjostrom, Turrigiano, Nelson 2001",
    axes=("frequency [Hz]", "change of weight"),
    measure=measure,
)
