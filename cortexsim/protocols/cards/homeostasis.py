"""All synapses of a silent cell grow by the same factor, those of an overactive one shrink.

Turrigiano, Leslie, Desai, Rutherford, Nelson, "Activity-dependent scaling of quantal amplitude in neocortical neurons",
Nature 1998. Three weights of one cell, whose synapses are silent, keep their ratios. Rates and durations are choices
made here.
"""

import numpy as np

from cortexsim.protocols.cards.card import Card, Point, Result
from cortexsim.protocols.protocol import Protocol
from cortexsim.protocols.running import run
from cortexsim.rules import Rule

WEIGHTS = np.array([0.5, 1.0, 2.0])
SILENT, ACTIVE, DURATION = 0.0, 20.0, 20.0  # Hz; s.
TOLERANCE = 1e-6  # Of ratios.


def measure(rule: Rule) -> Result:
    """Run three weights of a cell that is silent, and of one that is active."""
    points, factors, ratios = [], {}, []
    for rate in (SILENT, ACTIVE):
        post = np.arange(0.5, rate * DURATION) / rate if rate else np.array([])
        scaled = 1 + run(rule, Protocol([[]] * 3, [post] * 3, DURATION, weight=WEIGHTS)) / WEIGHTS
        factors[rate] = float(scaled.mean())
        ratios.append(float(np.ptp(scaled) / abs(scaled.mean())))
        points += [Point(f"{rate:g} Hz", w, s, factors[rate]) for w, s in zip(WEIGHTS, scaled, strict=True)]
    right = factors[SILENT] > 1 > factors[ACTIVE]
    number = f"factors {factors[SILENT]:.3f} and {factors[ACTIVE]:.3f}, ratios differ by {max(ratios):.0e}"
    return Result(points, number, bool(right and max(ratios) <= TOLERANCE))


CARD = Card(
    name="homeostasis",
    title="Synapses scale together, against the activity of their cell",
    criterion=f"factor above 1 in silence, below 1 at {ACTIVE:g} Hz, the same for all weights within {TOLERANCE:g}",
    source="Turrigiano et al. 1998",
    axes=("weight before", "factor"),
    measure=measure,
)
