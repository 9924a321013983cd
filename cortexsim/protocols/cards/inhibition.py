"""Inhibitory synapses settle where the cell fires at its target rate.

Vogels, Sprekeler, Zenke, Clopath, Gerstner, "Inhibitory plasticity balances excitation and inhibition in sensory
pathways and memory networks", Science 2011: under Poisson spikes the mean change is zero at the target, here 3 Hz. It
grows with the postsynaptic rate, so that inhibition is stable there.

The number that decides:

>>> from cortexsim.rules import load_rule
>>> CARD.examine(load_rule("vogels_inhibitory")).number
'stable at 3.01 Hz'
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.running import run
from cortexsim.protocols.spike_trains import poisson
from cortexsim.rules import Rule
from cortexsim.seeds import stream

TARGET, TOLERANCE = 3.0, 0.02  # Hz; relative.
RATES, EACH, PRE, DURATION = np.linspace(1.0, 6.0, 6), 60, 20.0, 100.0  # Hz; cells at each; Hz; s.
WEIGHT = 100.0  # Far from bounds.


def measure(rule: Rule) -> Result:
    """Fit a line to the mean change against the postsynaptic rate."""
    generator, rates = stream(0, "inhibition"), np.repeat(RATES, EACH)
    pre, post = poisson(np.full(len(rates), PRE), DURATION, generator), poisson(rates, DURATION, generator)
    change = run(rule, Protocol(pre, post, DURATION, weight=WEIGHT)) / DURATION
    counts = np.array([len(train) for train in post]) / DURATION
    slope, offset = np.polyfit(counts, change, 1)
    means = change.reshape(len(RATES), EACH).mean(axis=1)
    errors = change.reshape(len(RATES), EACH).std(axis=1) / np.sqrt(EACH)
    unit = max(np.abs(means).max(), 1e-300)
    points = [
        Point("mean under Poisson spikes", rate, mean / unit, slope * (rate - TARGET) / unit, error / unit)
        for rate, mean, error in zip(RATES, means, errors, strict=True)
    ]
    if slope <= 0:
        return Result(points, "no stable rate: the change does not grow with it", False)
    found = -offset / slope
    return Result(points, f"stable at {found:.2f} Hz", bool(abs(found / TARGET - 1) <= TOLERANCE))


CARD = Card(
    name="inhibition",
    title="Inhibition grows until the cell fires at its target rate",
    criterion=f"the change is zero at {TARGET:g} Hz, within {TOLERANCE:.0%}, and grows with the rate",
    source="Vogels, Sprekeler, Zenke, Clopath, Gerstner 2011",
    axes=("postsynaptic rate [Hz]", "mean change of weight, relative; line through 3 Hz"),
    measure=measure,
)
